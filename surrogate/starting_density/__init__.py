"""Densities that a self-consistent run starts from."""
