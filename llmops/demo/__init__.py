"""The embedded models: where the decoder lies, and how it was made (text, tokenizer, training, scoring)."""

from pathlib import Path

DECODER_DIR = Path(__file__).parent / "decoder"
