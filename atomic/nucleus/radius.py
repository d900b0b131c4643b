"""Mass numbers and root-mean-square charge radii of nuclei.

A   Z = A / (1.98 + 0.0155 A^(2/3)), the valley of stability of Weizsäcker's liquid drop
r   0.836 A^(1/3) + 0.570 fm: Johnson and Soff, At. Data Nucl. Data Tables 33, 405 (1985)
"""

#: bohr per femtometre (CODATA 2018).
BOHR_PER_FM = 1 / 52917.721090

# Surface thickness of every nucleus, 90 to 10 % of the density:
# Parpia and Mohanty, Phys. Rev. A 46, 3735 (1992).
THICKNESS_FM = 2.30


def stable_mass_number(z: float) -> int:
    """Nearest whole mass number on the valley of stability; an extrapolation beyond uranium."""
    mass = 2.0 * z
    for _ in range(50):
        mass = z * (1.98 + 0.0155 * mass ** (2 / 3))
    return max(1, round(mass))


def rms_radius(mass_number: float) -> float:
    """Root-mean-square charge radius, bohr."""
    return (0.836 * mass_number ** (1 / 3) + 0.570) * BOHR_PER_FM


def edge(mass_number: float) -> float:
    """Radius of the uniform sphere with this root-mean-square radius, bohr: √(5/3) r."""
    return (5 / 3) ** 0.5 * rms_radius(mass_number)
