"""The hard projection: Hermitian, idempotent with the right factor, the right trace."""

import pytest
import torch
from hybrid_propagate.surrogate.network.purify import purify


def _nearly(n: int, occupied: int, occupation: float, error: float) -> torch.Tensor:
    """A density with `occupied` full orbitals, disturbed by a matrix that is not Hermitian."""
    torch.manual_seed(3)
    turn = torch.linalg.qr(torch.randn(n, n, dtype=torch.complex128)).Q
    exact = occupation * turn[:, :occupied] @ turn[:, :occupied].mH
    return exact + error * torch.randn(n, n, dtype=torch.complex128)


@pytest.mark.parametrize(("occupation", "electrons"), [(2.0, 10.0), (1.0, 5.0)])
def test_projected_densities_are_densities(occupation: float, electrons: float) -> None:
    raw = _nearly(13, 5, occupation, 0.01)
    density = purify(raw, torch.tensor(electrons), occupation, rounds=5)
    rho = density / occupation
    torch.testing.assert_close(density, density.mH, rtol=0, atol=1e-12)
    torch.testing.assert_close(rho @ rho, rho, rtol=0, atol=1e-7)
    assert float(torch.trace(density).real) == pytest.approx(electrons, abs=1e-10)


def test_exact_densities_stay() -> None:
    exact = _nearly(9, 4, 2.0, 0.0)
    torch.testing.assert_close(purify(exact, torch.tensor(8.0), 2.0), exact, rtol=0, atol=1e-10)


def test_the_naive_formula_would_fail() -> None:
    """3PP − 2PPP of a closed shell's P has trace −4 Σ 1 instead of N: why the factor is there."""
    P = _nearly(9, 4, 2.0, 0.0)
    naive = 3 * P @ P - 2 * P @ P @ P
    assert float(torch.trace(naive).real) == pytest.approx(4 * (3 * 4 - 2 * 8), abs=1e-9)


def test_batches() -> None:
    raw = torch.stack([_nearly(7, 3, 2.0, error) for error in (0.0, 0.01)])
    together = purify(raw, torch.tensor([6.0, 6.0]), 2.0)
    for one, whole in zip(raw, together, strict=True):
        torch.testing.assert_close(purify(one, torch.tensor(6.0), 2.0), whole, rtol=0, atol=1e-12)
