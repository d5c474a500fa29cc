"""The embedded decoder: its text, tokenizer, training and scoring."""
