"""Weak motion by its modes against the same steps of full matrices, and the change from one to the other."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.system import Excitation, Field
from hybrid_propagate.adapters.system.real_time import Tolerances
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.estimate.defect_operator import Defect, defect_operator
from hybrid_propagate.driver.loop import hybrid as hybrid_loop
from hybrid_propagate.driver.loop import motion as loop_motion
from hybrid_propagate.driver.loop.checkpoint import pack_checkpoint, unpack_checkpoint
from hybrid_propagate.driver.loop.controller import Target
from hybrid_propagate.driver.loop.hybrid import Hybrid
from hybrid_propagate.driver.loop.motion import Stepwise, Weakly
from hybrid_propagate.driver.loop.problem import Problem, electronic_dipoles
from hybrid_propagate.driver.loop.progress import Event, Progress, Tally
from hybrid_propagate.driver.loop.reference import EmbeddedReference
from hybrid_propagate.driver.loop.run import run
from hybrid_propagate.driver.loop.segment import Limits, Segment, density_at, pieces, reference_segment
from hybrid_propagate.driver.propagators import pair_motion
from hybrid_propagate.surrogate.kernel.pair_kernel import FIRST, PairBlock
from hybrid_propagate.surrogate.matrices.occupied_empty import OccupiedEmpty, occupied_empty
from hybrid_propagate.surrogate.weak_fields.by_regime import ByRegime
from hybrid_propagate.surrogate.weak_fields.pair_response import (
    WEAK,
    PairResponse,
    eta_at_rest,
    expansion_matrices,
    pairs_at_rest,
)
from toy_engine import kicked, make_chain, make_response, start, toy_problem

STEPS = 300


def weak_problem(n_spin: int, kick: float = 1e-4, **changed) -> Problem:
    """A chain with local exchange; NWChem's usual tolerance and check points."""
    real_time = kicked(kick, 0.2 * (STEPS + 1), 0.2)
    real_time = replace(real_time, n_checks=10, tolerances=Tolerances(), **changed)
    return toy_problem(*make_chain(5, n_spin, 0.25, 0.3), real_time)


def toy_pairs(
    problem: Problem, spoil: float = 0.0, still: dict[int, np.ndarray] | None = None
) -> PairResponse:
    """From the engine's own response to each pair.

    spoil: what the kernel is off by, relative. still: pairs that are left at rest, by irrep.
    """
    density, basis = problem.ground_density, problem.basis
    pairs = occupied_empty(density, basis.energies)
    about = expansion_matrices(problem.engine, basis, density, problem.ground_build)
    units = pairs.matrix(np.eye(pairs.n_pairs, dtype=complex))
    real, imaginary = (
        np.array([part(pairs.block(image(problem, pairs, factor * unit))) for unit in np.eye(pairs.n_pairs)])
        for part, factor in ((np.real, 1.0), (np.imag, 1j))
    )
    coulomb = [
        pairs.block(
            basis.fock_in(
                np.broadcast_to(problem.engine.coulomb(np.real(basis.density_out(u)).sum(axis=0)), u.shape)
            )
        )
        for u in units
    ]
    unmoved = still or {}
    kept = np.setdiff1d(np.arange(pairs.n_pairs), [k for own in unmoved.values() for k in own])
    of_kept = np.ix_(kept, kept)
    block = PairBlock(
        kept,
        (1.0 + spoil) * real[of_kept],
        imaginary[of_kept],
        np.ascontiguousarray(np.real(coulomb)[of_kept]),
    )
    eta = eta_at_rest(problem.engine, basis, pairs, about, unmoved.values())
    return PairResponse(pairs, about, [block], pairs_at_rest(pairs, eta, unmoved, int(bool(unmoved))))


def densities(segment: Segment) -> np.ndarray:
    """Of all points; in pieces of some, as reporters are given them."""
    return np.concatenate([piece.densities for piece in pieces(segment, 20.0 * segment.end.density.nbytes)])


def image(problem: Problem, pairs: OccupiedEmpty, x: np.ndarray) -> np.ndarray:
    return problem.basis.fock_in(problem.engine.response(problem.basis.density_out(pairs.matrix(x))))


@pytest.fixture(name="problem", params=[1, 2], ids=["closed", "open"])
def make_problem(request: pytest.FixtureRequest) -> Problem:
    return weak_problem(request.param)


def test_a_segment_is_the_references_own(problem: Problem) -> None:
    """To what the second order makes: 1e-5 here. Times, corrections and check points are the same."""
    progress = start(problem, Target(1e-3, STEPS, 60.0))
    expected, _ = reference_segment(problem, progress.state, progress.energies, STEPS, np.inf, "CONTINUE")
    found = Weakly(problem, toy_pairs(problem)).segment(progress.state, STEPS, Limits())
    assert found is not None
    assert found.reason == "END"
    np.testing.assert_array_equal(found.times, expected.times)
    np.testing.assert_array_equal(found.interpolations, expected.interpolations)
    dipoles = [electronic_dipoles(problem, densities(segment)) for segment in (found, expected)]
    assert trajectory_error(*dipoles) < 3e-5
    size = float(np.linalg.norm(expected.densities[40] - problem.ground_density))
    np.testing.assert_allclose(densities(found), expected.densities, rtol=0, atol=1e-4 * size)
    for name in ("density", "fock", "fock_half"):
        apart = np.linalg.norm(getattr(found.end, name) - getattr(expected.end, name))
        # What F has between occupied orbitals, and between empty ones, acts on nothing to first order.
        assert apart < (1e-4 if name == "density" else 2.0) * size
    np.testing.assert_allclose(
        np.array(found.changes)[5:, 0], np.array([c[0] for c in expected.changes])[5:], atol=1e-11
    )
    np.testing.assert_allclose(np.ptp(found.energies.sum(axis=1)), 0.0, atol=1e-13)
    for at in (7, 150):
        own = problem.reference_fock(density_at(found, at))[1]
        np.testing.assert_allclose(found.energies[at, :2], [own.core, own.coulomb], rtol=0, atol=1e-10)
        # The total is that of the start, which two corrections keep to this.
        assert found.energies[at].sum() == pytest.approx(own.electronic, abs=1e-9)


def test_a_segment_takes_what_making_the_kernel_took(problem: Problem) -> None:
    response, few = toy_pairs(problem), 20.0
    a_step = 16 * response.pairs.n_pairs
    assert Weakly(problem, response).held_steps(few * a_step) == loop_motion.HELD * few
    response.room = 1000.0 * a_step
    assert Weakly(problem, response).held_steps(few * a_step) == 1000


def test_the_end_is_a_state_of_full_matrices(problem: Problem) -> None:
    """Orthonormal orbitals that make its density; the steps that follow are those of the whole segment."""
    progress = start(problem, Target(1e-3, STEPS, 60.0))
    motion = Weakly(problem, toy_pairs(problem))
    whole, half = (motion.segment(progress.state, n, Limits()) for n in (STEPS, 137))
    assert whole is not None
    assert half is not None
    end = half.end
    made = (end.orbitals * end.occupations[:, None, :]) @ end.orbitals.conj().swapaxes(1, 2)
    np.testing.assert_allclose(made, end.density, atol=1e-14)
    filling = 2.0 if len(made) == 1 else 1.0
    np.testing.assert_allclose(made @ made, filling * made, atol=1e-13)
    rest = motion.segment(end, STEPS - 137, Limits())
    assert rest is not None
    size = float(np.linalg.norm(whole.end.density - problem.ground_density))
    np.testing.assert_allclose(densities(rest), densities(whole)[137:], rtol=0, atol=1e-9 * size)


@pytest.mark.parametrize("relaxed", [False, True])
def test_the_shadow_is_stepped_the_same(
    problem: Problem, relaxed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a defect of 2 % at two points, from the start and over check points; relaxed, by its distance from
    the segment."""
    if relaxed:
        monkeypatch.setattr(PairResponse, "has_modes", False)
    progress = start(problem, Target(1e-3, STEPS, 60.0))
    response = toy_pairs(problem)
    motion, stepwise = Weakly(problem, response), Stepwise(problem, response)
    segment = motion.segment(progress.state, STEPS, Limits())
    assert segment is not None
    defects = []
    for at in (80, 200):
        change = density_at(segment, at) - problem.ground_density
        wrong = response.pairs.matrix(
            response.pairs.block(0.02 * (response.predict(density_at(segment, at)) - response.about.fock))
        )
        defects.append(Defect(change, wrong, 1.0))
    operator = defect_operator(defects)
    found, expected = (m.shadow(operator, progress.state, segment) for m in (motion, stepwise))
    plain, steps = (m.shadow(None, progress.state, segment) for m in (motion, stepwise))
    assert found is not None
    assert expected is not None
    assert plain is not None
    assert steps is not None
    apart = found[0] - plain[0]
    assert np.linalg.norm(apart) > 1e-3 * np.linalg.norm(plain[0] - plain[0][0])
    assert np.linalg.norm(apart - (expected[0] - steps[0])) < 5e-3 * np.linalg.norm(apart)
    ends = [end.density for _, end in (found, expected, plain, steps)]
    moved = ends[1] - ends[3]
    assert np.linalg.norm(ends[0] - ends[2] - moved) < 1e-2 * np.linalg.norm(moved)


def test_a_relaxed_shadow_goes_on_from_where_it_was(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over two segments, as steps one by one do."""
    monkeypatch.setattr(PairResponse, "has_modes", False)
    progress, response = start(problem, Target(1e-3, STEPS, 60.0)), toy_pairs(problem)
    motion, stepwise = Weakly(problem, response), Stepwise(problem, response)
    first = motion.segment(progress.state, 137, Limits())
    assert first is not None
    second = motion.segment(first.end, STEPS - 137, Limits())
    assert second is not None
    wrong = 0.02 * (response.predict(density_at(first, 80)) - response.about.fock)
    change = density_at(first, 80) - problem.ground_density
    operator = defect_operator([Defect(change, response.pairs.matrix(response.pairs.block(wrong)), 1.0)])
    dipoles = []
    for own, lacking in itertools.product((motion, stepwise), (operator, None)):
        state = progress.state
        for segment in (first, second):
            made = own.shadow(lacking, state, segment)
            assert made is not None
            dipole, state = made
        dipoles.append(dipole)
    apart, expected = dipoles[0] - dipoles[1], dipoles[2] - dipoles[3]
    assert np.linalg.norm(expected) > 1e-3 * np.linalg.norm(dipoles[1] - dipoles[1][0])
    assert np.linalg.norm(apart - expected) < 1e-2 * np.linalg.norm(expected)


def test_a_look_tells_first_and_second_order_apart(problem: Problem) -> None:
    """Of a kernel 3 % off, the first is 3 % of the response; the second is that of the exact kernel."""
    progress, even = start(problem, Target(1e-3, STEPS, 60.0)), []
    for spoil in (0.0, 0.03):
        response = toy_pairs(problem, spoil)
        motion, reference = Weakly(problem, response), EmbeddedReference(problem)
        segment = motion.segment(progress.state, 60, Limits())
        assert segment is not None
        density = segment.end.density
        asked = motion.asked(density)
        filling = 2.0 if len(density) == 1 else 1.0
        np.testing.assert_allclose(asked[1] @ asked[1], filling * asked[1], atol=1e-12)
        found = motion.seen(density, [reference.sight(response, p, 12.0, end=True) for p in asked])
        assert found.defect.even is not None
        even.append(np.linalg.norm(found.defect.even))
        first = np.linalg.norm(found.defect.defect - found.defect.even) / found.defect.response
        assert first < 1e-6 if spoil == 0.0 else 0.01 < first < 0.05
        found.teach()
        assert response.image_error == pytest.approx(first)
    assert even[0] > 0.0
    assert even[1] == pytest.approx(even[0], rel=0.1)


def test_what_no_dipole_shows_is_no_defect(problem: Problem) -> None:
    """What drives pairs at rest counts as if it drove the others; not where second order alone moves them."""
    progress, sizes = start(problem, Target(1e-3, STEPS, 60.0)), []
    reference = EmbeddedReference(problem)
    for irrep in (FIRST, FIRST + 1):
        response = toy_pairs(problem, still={irrep: np.array([1, 3])})
        motion = Weakly(problem, response)
        segment = motion.segment(progress.state, 60, Limits())
        assert segment is not None
        density = segment.end.density
        sights = [reference.sight(response, p, 12.0, end=True) for p in motion.asked(density)]
        found = motion.seen(density, sights).defect
        assert found.even is not None
        first, p = sights[0].defect.defect, motion.asked(density)[0]
        driven = response.pairs.block(first @ p - p @ first) / response.pairs.filling
        sizes.append(np.linalg.norm(found.defect) / np.linalg.norm(response.pairs.matrix(driven)))
    assert sizes[0] == pytest.approx(1.0, rel=1e-9)
    assert sizes[1] > 1.05


class Told:
    """Keeps what the loop tells."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.events: list[Event] = []

    def segment(self, segment: Segment, tally: Tally) -> None:
        self.segments.append(segment)

    def event(self, event: Event, tally: Tally) -> None:
        self.events.append(event)

    def dipoles(self, problem: Problem) -> np.ndarray:
        return electronic_dipoles(problem, np.concatenate([s.densities for s in self.segments]))


def loop(problem: Problem, surrogate, *, error: float = 1e-3, say=lambda *_: None) -> tuple[Told, Progress]:
    told, target = Told(), Target(error, 64, problem.real_time.tmax)
    progress = start(problem, target)
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, Limits(), (told,), say)
    run(hybrid, progress, lambda now: False)
    return told, progress


def by_regime(problem: Problem, spoil: float = 0.0, *, dear: bool = False) -> ByRegime:
    return ByRegime(lambda: toy_pairs(problem, spoil), lambda: make_response(problem), full_is_dear=dear)


def test_a_long_segment_tells_how_far_it_is(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment of a large molecule may take an hour; so does the pass beside it, for the error."""
    monkeypatch.setattr(hybrid_loop, "TOLD_EVERY", -1.0)
    said: list[tuple[str, float]] = []
    loop(problem, by_regime(problem), say=lambda *words: said.append(words))
    for words in ("made, not measured yet", "made once more, for the stated error"):
        shares = [share for told, share in said if told.endswith(words)]
        assert len(shares) > 5
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_each_build_at_a_drawn_point_is_told(problem: Problem) -> None:
    """Where integrals are computed at every build, an hour goes into these."""
    said: list[str] = []
    _, progress = loop(problem, by_regime(problem), say=lambda words, _: said.append(words))
    builds = [int(words.rsplit(maxsplit=1)[1]) for words in said if "Fock build" in words]
    assert len(builds) == progress.tally.anchors > 2
    assert builds == sorted(set(builds))
    assert builds[-1] <= progress.tally.fock_builds


def test_a_weak_run_is_weak_throughout(problem: Problem) -> None:
    """The error stated is no less than the true one."""
    surrogate = by_regime(problem)
    told, progress = loop(problem, surrogate)
    exact, reference = loop(problem, None)
    assert surrogate.weak is not None
    assert [e for e in told.events if e.kind == "regime"] == []
    assert progress.estimate is not None
    true = trajectory_error(told.dipoles(problem), exact.dipoles(problem))
    assert true <= progress.estimate.sums.stated <= 1e-3
    assert progress.tally.fock_builds < 0.2 * reference.tally.fock_builds


def test_a_kernel_that_is_off_is_left() -> None:
    """By 10 %: the points drawn show it, and full matrices learn what they need."""
    problem = weak_problem(1)
    surrogate = by_regime(problem, 0.1)
    told, progress = loop(problem, surrogate, error=1e-2)
    exact, _ = loop(problem, None)
    assert surrogate.weak is None
    assert [e.reason for e in told.events if e.kind == "regime"] == ["NOT_WEAK"]
    assert progress.estimate is not None
    true = trajectory_error(told.dipoles(problem), exact.dipoles(problem))
    assert true <= progress.estimate.sums.stated <= 1e-2


def test_a_kernel_that_is_off_is_kept_where_full_matrices_are_dear() -> None:
    """What is stated then misses the tolerance, and is no less than the true error."""
    problem = weak_problem(1)
    surrogate = by_regime(problem, 0.1, dear=True)
    told, progress = loop(problem, surrogate, error=1e-2)
    exact, reference = loop(problem, None)
    assert surrogate.weak is not None
    assert progress.tally.fock_builds < 0.2 * reference.tally.fock_builds
    assert progress.estimate is not None
    true = trajectory_error(told.dipoles(problem), exact.dipoles(problem))
    assert 1e-2 < true <= progress.estimate.sums.stated


def test_what_is_not_followed_is_left_where_it_misses_the_tolerance(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the SCF's end in other irreps does beside a very weak motion; full matrices follow it."""
    monkeypatch.setattr(loop_motion, "offset_from_rest", lambda *_: 1e-5)
    surrogate = by_regime(problem)
    told, progress = loop(problem, surrogate, error=1e-2)
    assert surrogate.weak is None
    assert [e.reason for e in told.events if e.kind == "regime"] == ["NOT_WEAK"]
    assert progress.estimate is not None
    assert progress.estimate.sums.stated <= 1e-2


def test_strong_motion_takes_full_matrices() -> None:
    problem = weak_problem(1, kick=0.05)
    surrogate = by_regime(problem)
    told, progress = loop(problem, surrogate, error=1e-2)
    assert surrogate.weak is None
    assert [(e.kind, e.reason, e.step) for e in told.events if e.kind == "regime"] == [
        ("regime", "NOT_WEAK", 0)
    ]
    assert progress.ledger.strong
    assert sum(surrogate.full.n_directions) > 0
    exact, _ = loop(problem, None)
    assert trajectory_error(told.dipoles(problem), exact.dipoles(problem)) < 1e-2


def pulsed(n_spin: int, maximum: float) -> Problem:
    """A pulse of 24 au in resonance, and 36 au after it."""
    pulse = Field("kick", "hann", (0.0, 0.0, 1.0), maximum, center=12.0, width=24.0, frequency=0.5)
    return weak_problem(n_spin, fields=(pulse,), excitations=(Excitation("chain", "kick"),))


@pytest.mark.parametrize("n_spin", [1, 2])
def test_a_weak_pulse_is_followed_from_its_start(n_spin: int) -> None:
    """No reference step; what it brings in second order is stated; the energy is the work of the field."""
    problem = pulsed(n_spin, 6e-6)
    assert problem.last_field_step == 120
    assert 1e-5 < problem.driven_size < WEAK
    surrogate = by_regime(problem)
    told, progress = loop(problem, surrogate)
    assert {s.kind for s in told.segments} == {"surrogate"}
    exact, _ = loop(problem, None)
    assert progress.estimate is not None
    true = trajectory_error(told.dipoles(problem), exact.dipoles(problem))
    assert true <= progress.estimate.sums.stated <= 1e-3
    totals = [np.concatenate([s.energies.sum(axis=1) for s in one.segments]) for one in (told, exact)]
    np.testing.assert_allclose(*totals, rtol=0, atol=1e-3 * np.ptp(totals[1]))


def test_modes_follow_a_pulse_that_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gaussian is never zero; from 1e-15 of its height on it acts no more."""
    pulse = Field("kick", "gaussian", (0.0, 0.0, 1.0), 6e-6, center=10.0, width=2.0, frequency=0.5)
    problem = weak_problem(1, fields=(pulse,), excitations=(Excitation("chain", "kick"),))
    assert problem.last_field_step == 132
    relaxed = []
    steps = pair_motion.relaxed_steps

    def counted(inner, kernel, start, n_steps, *how):
        relaxed.append(n_steps)
        return steps(inner, kernel, start, n_steps, *how)

    monkeypatch.setattr(pair_motion, "relaxed_steps", counted)
    progress = start(problem, Target(1e-3, STEPS, 60.0))
    assert Weakly(problem, toy_pairs(problem)).segment(progress.state, STEPS, Limits()) is not None
    assert sum(relaxed) < 133


def test_full_matrices_where_a_pulse_moves_much() -> None:
    """And after it, where what it leaves is no longer weak."""
    problem = pulsed(1, 6e-4)
    assert problem.driven_size > WEAK
    surrogate = by_regime(problem)
    told, progress = loop(problem, surrogate)
    assert surrogate.weak is None
    assert progress.ledger.strong
    exact, _ = loop(problem, None)
    assert progress.estimate is not None
    true = trajectory_error(told.dipoles(problem), exact.dipoles(problem))
    assert true <= progress.estimate.sums.stated <= 1e-3


def test_modes_after_kicks_that_come_late() -> None:
    """The reference makes the steps with a kick while another surrogate leads up to it."""
    kick = Field("kick", "delta", (0.0, 0.0, 1.0), 1e-4, center=4.0)
    problem = weak_problem(1, fields=(kick,), excitations=(Excitation("chain", "kick"),))
    assert problem.kicked_steps == (19, 20)
    surrogate = by_regime(problem)
    told, _ = loop(problem, surrogate)
    assert surrogate.weak is not None
    assert [s.kind for s in told.segments if s.start.step in (19, 20)] == ["reference", "reference"]


@pytest.mark.parametrize("field", ["kick", "pulse"])
def test_a_checkpoint_in_the_middle_changes_not_a_bit(problem: Problem, field: str) -> None:
    """In the pulse too."""
    problem = problem if field == "kick" else pulsed(len(problem.ground_density), 6e-6)
    surrogate, target = by_regime(problem), Target(1e-3, 6, 60.0)
    told, progress = Told(), start(problem, target)
    hybrid = Hybrid(problem, surrogate, EmbeddedReference(problem), target, Limits(), (told,))
    run(hybrid, progress, lambda now: now.state.step > 100)
    arrays = {name: np.array(array) for name, array in pack_checkpoint(progress, surrogate).items()}
    run(hybrid, progress, lambda now: False)
    again = by_regime(problem)
    restored = unpack_checkpoint(arrays, again)
    run(replace(hybrid, surrogate=again, reporters=()), restored, lambda now: False)
    np.testing.assert_array_equal(restored.state.density, progress.state.density)
    assert restored.tally.counts == progress.tally.counts
