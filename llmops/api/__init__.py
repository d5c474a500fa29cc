"""Plain values in, plain data out: what the named endpoints and the command line share."""
