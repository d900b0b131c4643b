"""Pairs of density change and Fock response to learn from, and their file."""
