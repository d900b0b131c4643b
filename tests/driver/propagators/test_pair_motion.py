"""Paths over many steps against the steps themselves, with and without what a surrogate lacks."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hybrid_propagate.driver.estimate.defect_operator import FIRST_AND_SECOND
from hybrid_propagate.driver.propagators.pair_motion import PairPath, pair_path
from hybrid_propagate.driver.propagators.pair_steps import PairSteps
from hybrid_propagate.driver.propagators.pair_traces import Places
from hybrid_propagate.driver.propagators.pushes import NOTHING, Drive, Lacking, Pushes, across
from hybrid_propagate.surrogate.weak_fields.leading_part import leading_part
from hybrid_propagate.surrogate.weak_fields.modes import nearly_scheme_modes, scheme_modes, split
from hybrid_propagate.surrogate.weak_fields.relaxation import inner_step
from hybrid_propagate.surrogate.weak_fields.scheme import PairMap, PairState, Phases, scheme_step

D, DT = 8, 0.2
ROWS = np.eye(D)


class TwoBlocks:
    """A closed shell's response in two irreps of four pairs, the second at rest where nothing drives it."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        a = rng.standard_normal((2, 4, 4)) * 0.3
        self.parts = a @ a.swapaxes(1, 2)
        self.pairs = SimpleNamespace(gaps=rng.uniform(0.4, 2.0, D), filling=2.0, block=lambda matrix: matrix)
        self.blocks = [SimpleNamespace(index=np.arange(4)), SimpleNamespace(index=np.arange(4, 8))]
        self.about = SimpleNamespace(density=np.zeros(D))
        self.rest, self.has_modes, self.kernel = np.zeros(D), True, (self._times, None)

    def response(self, x: np.ndarray) -> np.ndarray:
        found = [np.real(x[..., b.index]) @ part for b, part in zip(self.blocks, self.parts, strict=True)]
        return np.concatenate(found, axis=-1).astype(complex)

    def modes(self, k: int, dt: float):
        gaps = self.pairs.gaps[self.blocks[k].index]
        return scheme_modes(PairMap(Phases(gaps, dt), 2.0 * self.parts[k], None))

    def inner(self, dt: float):
        """Of the four largest eigenpairs of eight."""
        diagonal = 2.0 * np.concatenate([np.diagonal(part) for part in self.parts])
        return inner_step(Phases(self.pairs.gaps, dt), leading_part(self._times, diagonal, 4), None)

    def _times(self, rows: np.ndarray) -> np.ndarray:
        return np.real(self.response(2.0 * rows))


class Relaxed(TwoBlocks):
    """The same without modes."""

    def __init__(self) -> None:
        super().__init__()
        self.has_modes = False

    def modes(self, k: int, dt: float):
        raise AssertionError("there are none")


def kicked() -> PairState:
    field = np.zeros(D, complex)
    field[:4] = 1e-4 * np.array([1.0, -0.4, 0.7, 0.2])
    return PairState(np.zeros(D, complex), field, field)


def stepped(
    response: TwoBlocks, n_steps: int, pushes: Pushes = NOTHING, anew: int | None = None
) -> np.ndarray:
    lacking, drive = pushes.lacking, pushes.drive

    def fock_at(point: int, eta: np.ndarray) -> np.ndarray:
        fock = response.response(2.0 * eta)
        fock = fock if lacking is None else fock + lacking.of(2.0 * eta)
        return fock if drive is None else fock + drive.at(eta[None], point)[0]

    state, found = kicked(), [np.zeros(D, complex)]
    for step in range(n_steps):
        if step == anew:
            state = PairState(state.eta, fock_at(step, state.eta), state.fock_half)
        phases = Phases(response.pairs.gaps, DT)
        state, _ = scheme_step(state, phases, partial(fock_at, step + 1))
        found.append(state.eta)
    return np.array(found)


def followed(
    response: TwoBlocks, lengths: list[int], pushes: Pushes = NOTHING, rounding: float = 1e-16
) -> tuple[PairPath, np.ndarray, np.ndarray]:
    """The path, η at its start and after each step, and Re η of each step after one correction."""
    etas, earlies = [kicked().eta[None]], []

    def keep(first: int, steps: PairSteps) -> None:
        assert first == sum(map(len, earlies))
        etas.append(steps.eta())
        earlies.append(steps.along_early(ROWS))
        np.testing.assert_allclose(steps.along(ROWS), np.real(etas[-1]), rtol=0, atol=rounding)

    path = pair_path(response, kicked(), lengths, DT, keep, pushes)  # type: ignore[arg-type]
    assert path is not None
    return path, np.concatenate(etas), np.concatenate(earlies)


@pytest.mark.parametrize("lengths", [[10], [200], [90, 110], [5, 195]])
def test_a_path_is_its_steps(lengths: list[int]) -> None:
    """Over a check point too, where F is built anew."""
    response = TwoBlocks()
    expected = stepped(response, sum(lengths), NOTHING, lengths[0] if len(lengths) > 1 else None)
    path, eta, early = followed(response, lengths)
    size = np.abs(expected).max()
    np.testing.assert_allclose(eta, expected, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(path.end.eta, eta[-1], rtol=0, atol=1e-14 * size)
    assert early.shape == (sum(lengths), D)
    np.testing.assert_allclose(early[1:], np.real(expected[2:]), rtol=0, atol=1e-2 * size)


@pytest.mark.parametrize("lengths", [[10], [200], [90, 110], [5, 195]])
def test_a_relaxed_path_is_its_steps(lengths: list[int]) -> None:
    """And what it states to be off is no less than what it is off."""
    response = Relaxed()
    expected = stepped(response, sum(lengths), NOTHING, lengths[0] if len(lengths) > 1 else None)
    path, eta, early = followed(response, lengths)
    off = np.linalg.norm(eta[-1] - expected[-1]) / np.linalg.norm(expected[-1])
    assert off <= path.gap < 1e-4 or (sum(lengths), off) == (10, 0.0)
    np.testing.assert_allclose(early[1:], np.real(expected[2:]), rtol=0, atol=1e-2 * np.abs(expected).max())


def test_what_is_lacking_drives_a_relaxed_path() -> None:
    """With what V answers to it within the same step."""
    response, lacking = Relaxed(), Pushes(lack(0.01))
    plain, expected = (stepped(response, 200, one) for one in (NOTHING, lacking))
    found = followed(response, [200], lacking)[1]
    assert np.linalg.norm(found - expected) < 0.01 * np.linalg.norm(expected - plain)
    assert np.linalg.norm(expected[:, 4:]) > 0.0


@pytest.mark.parametrize("lengths", [[200], [90, 110]])
def test_a_path_beside_a_run_is_what_is_to_be_added(lengths: list[int]) -> None:
    """To a part in a hundred, where second order is lacking too, and with fewer sweeps."""
    response, lacking = Relaxed(), lack(0.01)
    run, both = (followed(response, lengths, one)[1] for one in (NOTHING, Pushes(lacking)))
    at_rest, apart = PairState(*np.zeros((3, D), complex)), [np.zeros((1, D), complex)]
    pushes = Pushes(lacking, beside=run)
    pair_path(response, at_rest, lengths, DT, lambda _, steps: apart.append(steps.eta()), pushes)  # type: ignore[arg-type]
    found = np.concatenate(apart)
    assert np.linalg.norm(run + found - both) < 0.01 * np.linalg.norm(found)
    assert 0.003 < np.linalg.norm(found) / np.linalg.norm(run) < 0.5


@pytest.mark.parametrize("lengths", [[300], [90, 210], [10, 290]])
@pytest.mark.parametrize("make", [TwoBlocks, Relaxed])
def test_fields_drive_a_path_as_they_drive_the_steps(make: type[TwoBlocks], lengths: list[int]) -> None:
    """Two of them, for 150 steps, into both irreps; over a check point in the field too."""
    response = make()
    rng, filled, free = np.random.default_rng(8), np.arange(2), np.arange(2, 6)
    matrices = 3.0 * rng.standard_normal((2, 1, 6, 6))
    places = Places(filled, free, np.ones(D, bool), np.arange(D), np.zeros((4, 2)), 2.0)
    others = across(matrices + matrices.swapaxes(2, 3), (places,))
    assert others is not None
    drive = Drive(pulses(sum(lengths)), rng.standard_normal((2, D)), others)
    expected = stepped(response, sum(lengths), Pushes(None, drive), lengths[0] if len(lengths) > 1 else None)
    path, eta, early = followed(response, lengths, Pushes(None, drive))
    size = np.linalg.norm(expected, axis=1).max()
    off = np.linalg.norm(eta - expected, axis=1).max() / size
    assert off <= path.gap < 1e-4
    first_order = stepped(response, sum(lengths), Pushes(None, replace(drive, across=None)))
    assert np.linalg.norm(first_order - expected) > 2e-4 * np.linalg.norm(expected)
    assert np.linalg.norm(expected[:, 4:]) > 0.1 * np.linalg.norm(expected)
    np.testing.assert_allclose(early[1:], np.real(expected[2:]), rtol=0, atol=1e-2 * size)


def pulses(n_steps: int) -> np.ndarray:
    """Amplitudes (n_steps + 1, 2) of two that end after 100 and 150 steps."""
    steps = np.arange(n_steps + 1)
    return np.stack(
        [
            1e-4 * np.sin(0.13 * steps) * np.sin(np.pi * steps / 100.0) ** 2 * (steps < 100),
            2e-4 * np.sin(0.07 * steps) * np.sin(np.pi * steps / 150.0) ** 2 * (steps < 150),
        ],
        axis=1,
    )


def lack(size: float) -> Lacking:
    """Of first and second order, from the first irrep to both."""
    rng = np.random.default_rng(6)
    changes = split(rng.standard_normal((2, D)) * (np.arange(D) < 4) + 0j) / 2e-4
    images = size * 1e-4 * (rng.standard_normal((2, D)) + 1j * rng.standard_normal((2, D)))
    return Lacking(changes, images, FIRST_AND_SECOND)


def test_what_is_lacking_drives_the_path_as_it_drives_the_steps() -> None:
    """But for what V answers to it within the same step: 1.7 % of what it changes here."""
    response, lacking = TwoBlocks(), Pushes(lack(0.01))
    plain, expected = (stepped(response, 200, one) for one in (NOTHING, lacking))
    found = followed(response, [200], lacking)[1]
    changed = np.linalg.norm(expected - plain)
    assert 0.003 < changed / np.linalg.norm(plain) < 0.5
    assert np.linalg.norm(found - expected) < 0.02 * changed
    # The second irrep moves by what is lacking alone.
    assert np.linalg.norm(expected[:, 4:]) > 0.0


def test_what_drives_without_end_is_no_path() -> None:
    for response in (TwoBlocks(), Relaxed()):
        path = pair_path(response, kicked(), [500], DT, lambda *_: None, Pushes(lack(30.0)))  # type: ignore[arg-type]
        assert path is None


def test_modes_to_first_order_tell_what_they_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """No less than it is, and not more than some times that."""
    response = TwoBlocks()
    gaps, parts = response.pairs.gaps, zip(response.blocks, response.parts, strict=True)
    maps = [PairMap(Phases(gaps[b.index], DT), 2.0 * part, None) for b, part in parts]
    monkeypatch.setattr(response, "modes", lambda k, dt: nearly_scheme_modes(maps[k]))
    expected = stepped(response, 800)
    # These modes are kept in single precision.
    path, eta, _ = followed(response, [800], rounding=1e-6 * np.abs(expected).max())
    apart = np.linalg.norm(eta[-1] - expected[-1]) / np.linalg.norm(expected[-1])
    assert 1e-8 < apart < path.gap < 1e-2
    assert followed(TwoBlocks(), [800])[0].gap == 0.0
