"""Blocks of steps by relaxation against the steps themselves, one after another."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.weak_fields import relaxation
from hybrid_propagate.surrogate.weak_fields.leading_part import Times, leading_part
from hybrid_propagate.surrogate.weak_fields.relaxation import (
    SETTLED,
    InnerStep,
    Kernel,
    inner_step,
    relaxed_steps,
)
from hybrid_propagate.surrogate.weak_fields.scheme import PairMap, PairState, Phases, scheme_step

D, DT, SETTLING = 300, 0.2, 24


def spread_out(rng: np.random.Generator, size: float) -> np.ndarray:
    """A positive matrix (D, D) of this norm, whose eigenvalues fall off."""
    columns = rng.standard_normal((D, 200)) * np.exp(-np.arange(200) / 20)
    square = columns @ columns.T
    return square * (size / np.linalg.norm(square, 2))


def step_of(*, exchange: bool) -> PairMap:
    """Pairs of the valence, and of a core that turns by more than π a step."""
    rng = np.random.default_rng(1)
    gaps = np.sort(np.concatenate([rng.uniform(0.3, 3.0, D - 20), rng.uniform(10.0, 22.0, 20)]))
    real = spread_out(rng, 1.1)
    return PairMap(Phases(gaps, DT), real, -0.2 * spread_out(rng, 1.0) if exchange else None)


def times(matrix: np.ndarray) -> Times:
    return lambda rows: rows @ matrix


def relaxed(step: PairMap) -> tuple[InnerStep, Kernel]:
    kernel = times(step.real), None if step.imaginary is None else times(step.imaginary)
    imaginary = None
    if kernel[1] is not None and step.imaginary is not None:
        imaginary = leading_part(kernel[1], np.diagonal(step.imaginary).copy(), 30)
    return inner_step(
        step.phases, leading_part(kernel[0], np.diagonal(step.real).copy(), 60), imaginary
    ), kernel


def settled(step: PairMap) -> PairState:
    """Some steps after a kick."""
    eta = 1e-4j * np.random.default_rng(2).standard_normal(D)
    fock = step.response(eta)
    state = PairState(eta, fock, fock)
    for _ in range(SETTLING):
        state, _ = scheme_step(state, step.phases, step.response)
    return state


@pytest.mark.parametrize(("n_steps", "many"), [(1, False), (64, False), (150, False), (150, True)])
@pytest.mark.parametrize("exchange", [True, False])
def test_they_are_the_schemes_steps(
    exchange: bool, n_steps: int, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of as many pairs as have more steps at once, too."""
    if many:
        monkeypatch.setattr(relaxation, "MANY_PAIRS", D - 1)
    step = step_of(exchange=exchange)
    start = state = settled(step)
    expected, early = [], []
    for _ in range(n_steps):
        state, before = scheme_step(state, step.phases, step.response)
        expected.append(state.eta)
        early.append(before)
    inner, kernel = relaxed(step)
    found = [block for block in relaxed_steps(inner, kernel, start, n_steps) if block is not None]
    assert len(found) == -(-n_steps // (128 if many else 64))
    eta = np.concatenate([block.eta[1:] for block in found])
    assert np.linalg.norm(eta - expected) < 5e-7 * np.linalg.norm(expected)
    left = np.subtract(early, expected)
    assert np.linalg.norm(np.concatenate([b.early[1:] for b in found]) - eta - left) < 0.005 * np.linalg.norm(
        left
    )
    assert np.linalg.norm(found[-1].fock[-1] - state.fock) < 2e-5 * np.linalg.norm(state.fock)


@pytest.mark.parametrize(("change", "most"), [(SETTLED, 4.0), (2e-4, 1.6)])
def test_few_products_are_made(change: float, most: float) -> None:
    """Twice as many as by steps one after another, which make two a step, but many at once.

    Fewer where a larger change between sweeps settles a block.
    """
    step, counts, rows = step_of(exchange=True), [0, 0], list[int]()
    inner, (real, imaginary) = relaxed(step)
    assert imaginary is not None

    def counted(k: int, own: Times) -> Times:
        def product(shapes: np.ndarray) -> np.ndarray:
            counts[k] += len(shapes)
            rows.append(len(shapes))
            return own(shapes)

        return product

    start = settled(step)
    blocks = list(relaxed_steps(inner, (counted(0, real), counted(1, imaginary)), start, 256, None, change))
    assert len(blocks) == 4
    assert max(counts) < most * 256
    assert np.median(rows) > 15


def test_what_is_lacking_is_added() -> None:
    """A tenth more of V is what a kernel a tenth larger makes."""
    step = step_of(exchange=True)
    assert step.imaginary is not None
    larger = PairMap(step.phases, 1.1 * step.real, 1.1 * step.imaginary)
    start = settled(larger)
    inner, kernel = relaxed(step)
    first = next(iter(relaxed_steps(inner, kernel, start, 64, lambda _, eta: 0.1 * step.response(eta))))
    expected = next(iter(relaxed_steps(*relaxed(larger), start, 64)))
    assert first is not None
    assert expected is not None
    assert np.linalg.norm(first.eta - expected.eta) < 1e-3 * np.linalg.norm(expected.eta)


def test_no_minimum() -> None:
    step = step_of(exchange=True)
    unstable = PairMap(step.phases, step.real - 2.0 * np.diag(step.phases.gaps), step.imaginary)
    with pytest.raises(np.linalg.LinAlgError, match="no minimum"):
        relaxed(unstable)


def test_what_grows_without_end_is_not_found() -> None:
    step = step_of(exchange=True)
    inner, kernel = relaxed(step)
    blocks = list(relaxed_steps(inner, kernel, settled(step), 640, lambda _, eta: -100.0j * np.real(eta)))
    assert blocks[-1] is None


def test_the_leading_part_is_most_of_a_matrix() -> None:
    matrix = step_of(exchange=True).real
    part = leading_part(times(matrix), np.diagonal(matrix).copy(), 20)
    whole = part.product(np.eye(D))
    np.testing.assert_allclose(whole, whole.T, atol=1e-12)
    rest = matrix - np.diag(np.diagonal(matrix))
    best = np.sort(np.abs(np.linalg.eigvalsh(rest)))[-21]
    assert np.linalg.norm(matrix - whole, 2) < 1.3 * best
