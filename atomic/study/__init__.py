"""Electron configurations as a dynamical system: energies, moves, flow, figures."""
