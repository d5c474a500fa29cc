"""The shipped weights: where the embedded decoder lies. How it was made is `scripts/decoder`."""

from pathlib import Path

DECODER_DIR = Path(__file__).parent / "decoder"
