"""The page's words in other languages."""
