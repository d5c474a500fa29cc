"""The nouns: task, candidate, request, run, events, errors, settings. Imports nothing of ours above it."""
