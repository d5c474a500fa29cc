"""Will it fit, how fast, and a dry run that measures it."""
