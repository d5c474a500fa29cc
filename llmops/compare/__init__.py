"""One text, many candidates."""
