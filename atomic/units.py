"""Atomic units in other units."""

FS_PER_AU = 0.02418884326509


EV_PER_HARTREE = 27.211386245988
