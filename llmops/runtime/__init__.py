"""Loaded models, the device's fair queue, and the one function that runs a request."""
