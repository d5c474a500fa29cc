"""The catalogue: models, architectures, GPUs, presets and prices as data, each row with its source."""
