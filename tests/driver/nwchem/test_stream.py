"""A response learned from densities alone: the toy engine, whose Fock matrices are known, for NWChem."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
from hybrid_propagate.adapters.system import RealTime
from hybrid_propagate.driver.loop.problem import Problem, initial_state, make_step
from hybrid_propagate.driver.nwchem.stream import NWChemStream, stream_expansion_point
from hybrid_propagate.driver.propagators.magnus import FockOf
from hybrid_propagate.surrogate.contract import (
    GroundProblem,
    SurrogateCase,
    SurrogateContract,
    surrogate_case,
)
from hybrid_propagate.surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from hybrid_propagate.surrogate.on_the_fly.streamed_response import StreamedResponse
from toy_engine import make_chain, toy_problem

DIGITS = 1e-10


@dataclass
class Densities:
    """What `NWChemReference` offers, by the toy engine; a point is a P' with as many digits as NWChem has."""

    problem: Problem
    checks: list[Any] = field(default_factory=list)
    n_steps: int = 0
    seconds: float = 0.0
    probe_seconds: float = 0.0

    def own_step(self, density: np.ndarray, at: float, fock_of: FockOf) -> np.ndarray:
        start = initial_state(self.problem, density, fock_of(density), 0, at)
        return make_step(self.problem)(start, fock_of)[0].density

    def one_step(self, density: np.ndarray, at: float) -> tuple[np.ndarray, None]:
        self.n_steps += 1
        end = self.own_step(density, at, lambda p: self.problem.reference_fock(p)[0])
        rng = np.random.default_rng(self.n_steps)
        noise = DIGITS * rng.standard_normal((2, *end.shape)) * np.abs(end)
        noise = noise + noise.swapaxes(2, 3) * np.array([1.0, -1.0])[:, None, None, None]
        return end + noise[0] + 1j * noise[1], None

    def density(self, point: np.ndarray) -> np.ndarray:
        return point

    def rounding_of(self, point: np.ndarray) -> float:
        return DIGITS * float(np.linalg.norm(point))


@dataclass(frozen=True, eq=False)
class Setting:
    problem: Problem
    space: OccupiedEmpty
    stream: NWChemStream
    surrogate: StreamedResponse
    reference: Densities


def exact_maps(problem: Problem, space: OccupiedEmpty) -> tuple[np.ndarray, np.ndarray]:
    """A and B by the engine's own linear response."""
    maps = []
    for unit in (1.0, 1.0j):
        images = [
            space.block(problem.basis.fock_in(problem.engine.response(problem.basis.density_out(change))))
            for change in space.matrix(unit * np.eye(space.n_pairs))
        ]
        maps.append(np.real(np.array(images)) if unit == 1.0 else np.imag(np.array(images)))
    return maps[0], maps[1]


def setting(n_spin: int, share: float = 0.85, shift: float = 0.0) -> Setting:
    """share: of the true response that the first guess has; shift: of a Fock matrix that is not at rest."""
    problem = toy_problem(*make_chain(6, n_spin, 0.25, 0.3), RealTime(20.0, 0.1))
    space = occupied_empty(problem.ground_density, problem.basis.energies)
    reference = Densities(problem)
    stream = NWChemStream(cast(Any, reference), space)
    a, b = exact_maps(problem, space)
    about = stream_expansion_point(problem)
    about = replace(about, fock=about.fock - space.matrix(np.full(space.n_pairs, shift, complex)))
    surrogate = StreamedResponse(space, about, share * a, share * b, stream.probe)
    stream.find_rest(surrogate)
    return Setting(problem, space, stream, surrogate, reference)


def walk(made: Setting, size: float, n_steps: int = 60) -> np.ndarray:
    """Densities of a run of the reference from a turned ground state."""
    density = made.stream._turned(size * np.exp(0.3j * np.arange(made.space.n_pairs)))
    problem = made.problem
    state = initial_state(problem, density, problem.reference_fock(density)[0], 0, 0.0)
    step, densities = make_step(problem), []
    for _ in range(n_steps):
        state, _ = step(state, lambda p: problem.reference_fock(p)[0])
        densities.append(state.density)
    return np.array(densities)


def error(made: Setting, densities: np.ndarray) -> float:
    """Relative error of the block of F' over densities."""
    blocks = [
        made.space.block(np.array([made.surrogate.predict(p), made.problem.reference_fock(p)[0]]))
        for p in densities
    ]
    rest = made.space.block(made.problem.basis.fock_in(made.problem.ground_build.fock))
    found, expected = np.array(blocks).swapaxes(0, 1) - rest
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


class BlockCase(SurrogateCase):
    """What a reference code that shows only densities can tell: F' at rest, and the block that moves them."""

    def reference(self, density: np.ndarray) -> np.ndarray:
        basis, ground = self.ground.basis, self.ground.ground_density
        space = occupied_empty(ground, basis.energies)
        at_rest = basis.fock_in(self.ground.ground_build.fock).astype(complex)
        return at_rest + space.matrix(space.block(super().reference(density) - at_rest))


class TestStreamedResponse(SurrogateContract):
    """On the block between occupied and empty orbitals, all that it predicts."""

    # What differs from known directions by less than a thousandth is rounding of NWChem's densities.
    anchor_leaves = 2e-3

    @pytest.fixture(params=[1, 2], ids=["closed shell", "open shell"])
    def case(self, request: pytest.FixtureRequest) -> SurrogateCase:
        made = surrogate_case(setting(request.param).problem, 1e-5)
        return BlockCase(made.ground, made.densities)

    def make(self, ground: GroundProblem) -> StreamedResponse:
        return setting(len(ground.ground_density)).surrogate


@pytest.mark.parametrize("n_spin", [1, 2])
def test_learns_the_response_of_a_run(n_spin: int) -> None:
    """From a first guess 15 % off to 1e-3 and better with two steps a direction, none of them of the run."""
    made = setting(n_spin)
    densities = walk(made, 1e-5)
    before = error(made, densities)
    for density in densities:
        made.surrogate.visit(density)
    builds = made.surrogate.refine(1e-5, 100)
    after = error(made, densities)
    print(f"error {before:.1e} before, {after:.1e} after {builds} probes for {made.space.n_pairs} pairs")
    assert before > 0.1
    assert after < 1e-3
    assert 0 < builds <= made.space.n_pairs + 4
    assert made.reference.n_steps == 1 + 2 * builds


def test_an_anchor_measures_what_is_missing() -> None:
    """Before anything is learned the residual is the first guess's error, also of a tiny deviation."""
    made = setting(1)
    for size in (1e-5, 1e-3):
        (density,) = walk(made, size, 1)
        sight = made.stream.sight(setting(1).surrogate, density, 0.1, end=True)
        assert sight.defect.residual == pytest.approx(0.15 / 0.85, rel=0.1)
        assert sight.energies.core == pytest.approx(made.problem.reference_fock(density)[1].core, abs=1e-6)
    made.stream.sight(made.surrogate, density, 0.1, end=True).teach()
    assert made.stream.sight(made.surrogate, density, 0.1, end=True).defect.residual < 0.01
    assert made.reference.checks[-1].residual < 0.01


def test_the_force_of_an_unconverged_ground_state() -> None:
    """What the orbitals' energies do not show is read off the first step, to a few parts in a thousand."""
    made = setting(1, shift=1e-5)
    found = made.space.block(made.surrogate.about.fock)
    expected = made.space.block(made.problem.basis.fock_in(made.problem.ground_build.fock))
    np.testing.assert_allclose(found, expected, atol=2e-8)


def test_energies_and_a_saved_surrogate() -> None:
    made = setting(1, share=1.0)
    densities = walk(made, 3e-4, 12)
    found = made.surrogate.energies(densities)
    for row, density in zip(found, densities, strict=True):
        exact = made.problem.reference_fock(density)[1]
        np.testing.assert_allclose(row, [exact.core, exact.coulomb, exact.exchange_correlation], atol=1e-8)
    for density in densities:
        made.surrogate.visit(density)
    made.surrogate.refine(1e-6, 100)
    other = setting(1, share=1.0).surrogate
    other.load(made.surrogate.save())
    np.testing.assert_allclose(other.predict(densities[3]), made.surrogate.predict(densities[3]), atol=1e-12)


def test_spread_says_what_is_missing() -> None:
    """Once an anchor has measured it, the spread is a fifth of the error at least, also after learning."""
    made = setting(1)
    densities = walk(made, 1e-5)
    made.stream.sight(made.surrogate, densities[0], 0.0, end=True).teach()
    for refined in (False, True):
        spreads = []
        for density in densities:
            spreads.append(made.surrogate.visit(density).spread)
        assert float(np.sqrt(np.mean(np.square(spreads)))) > 0.2 * error(made, densities)
        if not refined:
            made.surrogate.refine(1e-5, 100)


def test_half_filled_orbitals_are_refused() -> None:
    density = np.diag([2.0, 1.0, 0.0])[None].astype(complex)
    with pytest.raises(ValueError, match="not all full or empty"):
        occupied_empty(density, np.arange(3.0)[None])
    assert occupied_empty(np.diag([2.0, 2.0, 0.0])[None].astype(complex), np.arange(3.0)[None]).n_pairs == 2
