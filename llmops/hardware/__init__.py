"""What this machine is and measures: CPU, GPU, memory, energy, OpenMP threads, ZeroGPU."""
