"""For each file of `llmops/compat`: does what it mends still need mending, and does the mending still work?

After a library's version has changed, run this folder. A test that fails with “no longer needed” says what may go.
"""
