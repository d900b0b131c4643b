"""Atomic units in other units, CODATA 2022.

NWChem's own values stand where its decks are read (the ångström: adapters/system/geometry.py) and where its
log is written (adapters/log/units.py).
"""

EV_PER_HARTREE = 27.211386245981
FS_PER_AU = 0.024188843265864
#: 1/α, the speed of light in atomic units.
SPEED_OF_LIGHT = 137.035999177
#: Boltzmann's constant.
HARTREE_PER_KELVIN = 3.1668115634564e-6
#: Of an energy given as a wavenumber, cm⁻¹.
HARTREE_PER_WAVENUMBER = 4.5563352529132e-6
ELECTRON_MASSES_PER_DALTON = 1822.888486283
