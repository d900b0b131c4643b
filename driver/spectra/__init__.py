"""Spectra of dipole signals."""
