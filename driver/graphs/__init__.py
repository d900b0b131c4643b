"""Graphs of whole steps: written for others, and as the surrogate of runs, one or many at once."""
