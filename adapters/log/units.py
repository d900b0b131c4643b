"""NWChem 7.0.2's own conversions: a log made here must show the figures that NWChem's shows.

Each is a literal of NWChem's that differs from CODATA in what is printed; nothing is computed with them. The
one that is, the ångström of a deck, stands in adapters/system/geometry.py.
"""

#: Of the header of a propagation.
FS_PER_AU = 0.024189
EV_PER_AU = 27.2114
V_PER_NM_PER_AU = 514.21
#: Of the roots of linear response.
ROOT_EV_PER_HARTREE = 27.2113845
