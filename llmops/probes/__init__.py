"""Probes of a candidate: how many requests at once (load), and how long a text with the finding where (context)."""
