"""The encoder engine and its parts."""
