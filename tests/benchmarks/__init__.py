"""Benchmarks: our way against the plain library call, side by side. `python -m tests.benchmarks`."""
