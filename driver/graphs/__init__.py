"""Graphs of whole steps: written for others, and called for many runs at once."""
