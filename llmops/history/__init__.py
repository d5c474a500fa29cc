"""Runs and evaluations kept in SQLite: the store, its migrations, what a machine is known by, and exports."""
