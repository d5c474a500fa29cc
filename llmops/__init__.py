"""llm-ops: one text task, many candidates, side by side with measured time and memory.

Importing the package imports nothing heavy; engines load torch and friends when a candidate runs.
"""

__version__ = "0.1.0"
