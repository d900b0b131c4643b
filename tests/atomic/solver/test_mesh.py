"""Quadrature and hydrogenic levels on the spectral mesh, against closed forms."""

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.eigenstates import bound_states, refine
from hybrid_propagate.atomic.solver.errors import InputError
from hybrid_propagate.atomic.solver.mesh import lobatto, spectral_mesh
from hybrid_propagate.atomic.solver.model import Model, Orbital

C = Model().speed_of_light


def sommerfeld(z: float, n: int, kappa: int) -> float:
    """Dirac's hydrogenic energy without the rest energy."""
    gamma = np.sqrt(kappa**2 - (z / C) ** 2)
    x = (z / C) / (n - abs(kappa) + gamma)
    cosine = 1 / np.sqrt(1 + x * x)
    return -(C**2) * (x * cosine) ** 2 / (1 + cosine)


@pytest.mark.parametrize("order", [6, 11, 16])
def test_lobatto_rule_is_exact_to_degree_2p_minus_1(order: int) -> None:
    x, w, derivative = lobatto(order)
    for degree in range(2 * order):
        exact = 2 / (degree + 1) if degree % 2 == 0 else 0.0
        assert w @ x**degree == pytest.approx(exact, abs=1e-14)
    assert derivative @ x**3 == pytest.approx(3 * x**2, abs=1e-11)


@pytest.mark.parametrize("z", [1, 30, 92])
def test_hydrogenic_levels(z: int) -> None:
    """−Z²/2n² to 1e-12 relative; n = 1 to 3 fit in the mesh."""
    mesh = spectral_mesh(float(z), r_max=80.0)
    orbitals = tuple(Orbital(n, angular, 1.0, 2.0) for n in (1, 2, 3) for angular in range(n))
    nothing = np.zeros((1, len(mesh.radius)))
    levels = bound_states(mesh, orbitals, nothing, z, Model()).energies
    assert levels == pytest.approx([-(z**2) / (2 * o.n**2) for o in orbitals], rel=1e-10)


@pytest.mark.parametrize("z", [1, 30, 92])
def test_dirac_levels_follow_sommerfeld(z: int) -> None:
    mesh = spectral_mesh(float(z), relativistic=True, r_max=80.0)
    orbitals = tuple(
        Orbital(n, angular, 1.0, 2.0, j=j)
        for n in (1, 2, 3)
        for angular in range(n)
        for j in (angular - 0.5, angular + 0.5)
        if j > 0
    )
    nothing = np.zeros((1, len(mesh.radius)))
    model = Model(relativity="dirac")
    states = bound_states(mesh, orbitals, nothing, z, model)
    states = refine(mesh, orbitals, nothing, z, model, states)
    assert states.energies == pytest.approx([sommerfeld(z, o.n, o.kappa) for o in orbitals], rel=1e-10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"z": 0.0}, "nuclear charge"),
        ({"z": 26.0, "r_max": 3.0}, "too small"),
        ({"z": 26.0, "order": 3}, "order >= 6"),
        ({"z": 26.0, "growth": 20.0}, "growth"),
    ],
)
def test_impossible_meshes_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        spectral_mesh(**settings)  # pyright: ignore[reportArgumentType]
