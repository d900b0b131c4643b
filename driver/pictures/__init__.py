"""Figures and films of a run."""
