"""The local decoder engine and its parts."""
