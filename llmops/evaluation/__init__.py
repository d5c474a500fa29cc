"""Proof on labelled data: running a set through candidates, and the metrics of what came out."""
