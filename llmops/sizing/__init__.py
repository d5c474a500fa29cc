"""A decoder's sizes as arithmetic: parameters by kind, cache, workspace; or counted on transformers' classes."""
