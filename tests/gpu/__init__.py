"""The GPU rehearsal: what only a GPU can show, with random weights at real shapes. `python -m tests.gpu`."""
