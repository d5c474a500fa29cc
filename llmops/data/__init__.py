"""Labelled texts: users' files, and the built-in tasks."""
