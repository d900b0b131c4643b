"""The other formats: trajectories, densities, orbitals, frames; every file whole or not at all."""
