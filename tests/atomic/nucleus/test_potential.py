"""Nuclei of finite size: their potentials, and what they do to the 1s level."""

import numpy as np
import pytest
from hybrid_propagate.atomic.nucleus.fermi import fermi
from hybrid_propagate.atomic.nucleus.potential import uniform_sphere
from hybrid_propagate.atomic.nucleus.radius import edge, rms_radius, stable_mass_number
from hybrid_propagate.atomic.solver.elements import atomic_number, systematic_name
from hybrid_propagate.atomic.solver.errors import InputError
from hybrid_propagate.atomic.solver.model import Model, Orbital
from hybrid_propagate.atomic.solver.scf import self_consistent


def hydrogenic(z: float, **terms: object) -> float:
    """1s energy without other electrons, Hartree."""
    model = Model(use_hartree=False, use_exchange=False, use_correlation=False, **terms)  # type: ignore[arg-type]
    j = 0.5 if model.relativity == "dirac" else None
    return self_consistent(z, (Orbital(1, 0, 1.0, 2.0, j=j),), model).energies.total


def test_a_fermi_nucleus_without_skin_is_a_sphere() -> None:
    r = np.geomspace(1e-6, 1.0, 9)
    thin = fermi(92.0, rms_radius(238), r, width=1e-7)
    assert thin == pytest.approx(uniform_sphere(92.0, edge(238), r), rel=3e-6)


def test_outside_every_nucleus_is_a_point() -> None:
    r = np.array([0.01, 1.0])
    assert fermi(92.0, rms_radius(238), r) == pytest.approx(-92.0 / r, rel=1e-12)


def test_small_nucleus_shifts_1s_by_first_order_theory() -> None:
    """ΔE = (2/5) Z⁴ R², Hartree; the next order is of relative size ZR."""
    sphere = hydrogenic(10.0, nucleus="sphere", mass_number=40.0)
    shift = sphere - hydrogenic(10.0)
    assert shift == pytest.approx(0.4 * 10**4 * edge(40) ** 2, rel=2e-3)


def test_uranium_1s_shift_is_shabaevs() -> None:
    """V. M. Shabaev, J. Phys. B 26, 1103 (1993): good to 0.2 % for a uniform sphere of this radius."""
    shift = hydrogenic(92.0, relativity="dirac", nucleus="sphere", mass_number=238.0)
    shift -= hydrogenic(92.0, relativity="dirac")
    c = 137.035999
    x = 92 / c
    gamma = np.sqrt(1 - x**2)
    size = (2 * x * edge(238) * c) ** (2 * gamma)  # in Compton wavelengths, 1/c bohr
    expected = x**2 / 10 * (1 + x**2 * (1.380 - 0.162 * x + 1.612 * x**2)) * size * c**2
    assert shift == pytest.approx(expected, rel=2e-3)


def test_a_point_nucleus_beyond_137_is_refused_and_a_finite_one_is_not() -> None:
    with pytest.raises(InputError, match="point nucleus of Z = 140 binds no 1s"):
        hydrogenic(140.0, relativity="dirac")
    bound = -2 * 137.036**2
    assert bound < hydrogenic(140.0, relativity="dirac", nucleus="fermi") < -(140.0**2) / 2


@pytest.mark.parametrize(("z", "name", "symbol"), [(119, "ununennium", "Uue"), (120, "unbinilium", "Ubn")])
def test_systematic_names(z: int, name: str, symbol: str) -> None:
    assert systematic_name(z) == name
    assert atomic_number(name) == atomic_number(symbol) == z


def test_mass_numbers_follow_the_valley_of_stability() -> None:
    """Uranium-238 and lead-208 within 2 and 1 %."""
    assert stable_mass_number(92) == pytest.approx(238, rel=0.02)
    assert stable_mass_number(82) == pytest.approx(208, rel=0.01)
