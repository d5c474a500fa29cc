"""How what is shipped was made: the embedded decoder and the recorded example."""
