"""The response between empty and occupied orbitals on water, STO-3G: what it predicts and keeps."""

from functools import cache

import numpy as np
import pytest
from hybrid_propagate.adapters.engine import FockBuild
from hybrid_propagate.adapters.pyscf.engine import PySCFEngine, expanded_about, make_engine
from hybrid_propagate.adapters.pyscf.ground_state import solve_ground_state
from hybrid_propagate.adapters.working_basis import WorkingBasis, make_working_basis
from hybrid_propagate.surrogate.kernel.pair_kernel import FIRST, Means, pair_kernel, pairs_by_irrep
from hybrid_propagate.surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from hybrid_propagate.surrogate.on_the_fly.response import base_irreps
from hybrid_propagate.surrogate.weak_fields import pair_response
from hybrid_propagate.surrogate.weak_fields.pair_response import (
    PairResponse,
    eta_at_rest,
    expansion_matrices,
    pairs_at_rest,
)
from pyscf_systems import GIB, water

Ground = tuple[PySCFEngine, WorkingBasis, OccupiedEmpty, FockBuild, np.ndarray]


@cache
def ground() -> Ground:
    engine, orbitals = solve_ground_state(make_engine(water("PBE0"), GIB), None, 80)
    engine = expanded_about(engine, orbitals.density(), kernel=True)
    build = engine.fock(orbitals.density().astype(complex))
    basis = make_working_basis(engine.integrals, np.real(build.fock))
    density = basis.density_in(orbitals.density()).astype(complex)
    return engine, basis, occupied_empty(density, basis.energies, 1e-4), build, density


def response(*, single: bool = False) -> PairResponse:
    engine, basis, pairs, build, density = ground()
    irreps, every = np.zeros_like(basis.irreps), [np.arange(pairs.n_pairs)]
    blocks = pair_kernel(engine, basis, pairs, irreps, every, Means(GIB, single))
    assert blocks is not None
    about = expansion_matrices(engine, basis, density, build)
    return PairResponse(pairs, about, blocks, pairs_at_rest(pairs, np.zeros(pairs.n_pairs), {}, 0))


def moved(size: float) -> np.ndarray:
    """x (40, d) of a motion in three directions."""
    rng = np.random.default_rng(4)
    directions = rng.standard_normal((3, ground()[2].n_pairs))
    return size * (rng.standard_normal((40, 3)) + 1j * rng.standard_normal((40, 3))) @ directions


def test_it_predicts_what_the_engine_answers() -> None:
    engine, basis, pairs, build, density = ground()
    change = pairs.matrix(moved(1e-5)[0])
    found = response().predict(density + change)
    expected = basis.fock_in(build.fock + engine.response(basis.density_out(change)))
    size = np.linalg.norm(expected - basis.fock_in(build.fock))
    apart = pairs.block(found - expected)
    assert np.linalg.norm(apart) < 1e-6 * size


def test_a_kernel_in_single_precision_is_the_same_response() -> None:
    one, other, x = response(), response(single=True), moved(1e-5)
    assert (one.has_modes, other.has_modes) == (True, False)
    for of in (PairResponse.response, lambda r, x: r.coulomb(np.real(x)), lambda r, _: r.rest):
        known, found = of(one, x), of(other, x)
        assert np.linalg.norm(found - known) < 3e-6 * np.linalg.norm(known)


def test_no_minimum_has_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither modes nor what is relaxed; the caller goes on with full matrices."""
    monkeypatch.setattr(pair_response, "MOST_EXACT", 0)
    for single in (False, True):
        unstable = response(single=single)
        for block in unstable.blocks:
            block.real[np.diag_indices(len(block.real))] -= 10.0
        if single:
            with pytest.raises(np.linalg.LinAlgError):
                unstable.inner(0.2)
        else:
            assert unstable.modes(0, 0.2) is None


def test_nothing_moves_at_rest() -> None:
    """The SCF ends near the point where ω η + F vanishes; there it does to rounding."""
    _, basis, pairs, build, density = ground()
    made = response()
    eta = np.real(pairs.block(density)) / pairs.filling
    before = pairs.gaps * eta + np.real(pairs.block(basis.fock_in(build.fock)))
    at_rest = made.rest
    fock = np.real(pairs.block(made.predict(density + pairs.matrix(2.0 * (at_rest - eta).astype(complex)))))
    after = pairs.gaps * at_rest + fock
    assert np.linalg.norm(after) < 1e-3 * np.linalg.norm(before)
    assert np.linalg.norm(at_rest - eta) < 1e-4


def test_pairs_that_no_field_moves_are_near_rest() -> None:
    """Where the SCF's end is off along a dipole, one build finds most of that dipole's way back."""
    engine, basis, pairs, _, density = ground()
    irreps = pairs_by_irrep(pairs, base_irreps(basis, density))
    for axis in range(3):
        push = np.real(pairs.block(basis.fock_in(engine.integrals.dipole[axis][None])))
        unmoved = max(irreps.values(), key=lambda index: float(np.linalg.norm(push[index])))
        direction = np.zeros(pairs.n_pairs)
        direction[unmoved] = 1e-6 * push[unmoved] / pairs.gaps[unmoved]
        off = density + pairs.matrix(direction.astype(complex))
        about = expansion_matrices(engine, basis, off, engine.fock(basis.density_out(off)))
        every = eta_at_rest(engine, basis, pairs, about, irreps.values())
        found = pairs_at_rest(pairs, every, {FIRST + 1: unmoved}, 1)
        own = pairs.some(unmoved)
        rest = np.real(own.block(density)) / pairs.filling
        start = np.real(own.block(off)) / pairs.filling
        apart, before = (
            abs(float(push[unmoved] @ (eta - rest))) for eta in (np.real(own.block(found.eta)), start)
        )
        assert not own.block(found.eta - pairs.matrix(every)).any()
        assert np.count_nonzero(pairs.block(found.eta)) <= len(unmoved)
        # By orbital energies alone it is 0.04, 0.18 and 0.57 along x, y and z.
        assert apart < 0.15 * before


def test_energies_belong_to_the_fock_matrix() -> None:
    """Slopes of the total energy by differences; core and Coulomb energies of the engine, to second order."""
    engine, basis, pairs, build, density = ground()
    made, change = response(), pairs.matrix(moved(1e-3)[0])
    points = np.array([density + s * change for s in (-1e-3, 0.0, 1e-3)])
    energies = made.energies(points)
    np.testing.assert_allclose(energies[1].sum(), build.energies.electronic, atol=1e-11)
    slope = np.real(np.vdot(made.predict(density), change))
    np.testing.assert_allclose((energies[2] - energies[0]).sum() / 2e-3, slope, atol=1e-8)
    far = made.energies(density[None] + change)[0]
    own = engine.fock(basis.density_out(density + change)).energies
    np.testing.assert_allclose(far[:2], [own.core, own.coulomb], atol=1e-10)


def test_what_was_measured_is_kept() -> None:
    made, again = response(), response()
    made.note(3e-4)
    again.load({name: np.array(array) for name, array in made.save().items()})
    assert again.image_error == made.image_error == 3e-4
    assert made.refine(1e-6, 10) == 0
