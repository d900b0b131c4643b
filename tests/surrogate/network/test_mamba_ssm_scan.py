"""The scan by `mamba_ssm`: a stand-in with the equations of its documentation, and where it must not be
used."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch
from hybrid_propagate.surrogate.network import selective_scan
from hybrid_propagate.surrogate.network.selective_scan import (
    fastest,
    scan_chunked,
    scan_mamba_ssm,
    scan_reference,
)
from hybrid_propagate.surrogate.network.triton_scan import scan_triton
from torch import Tensor

NAME = "mamba_ssm.ops.selective_scan_interface"
BATCH, LENGTH, CHANNELS, STATE = 2, 23, 3, 4


class StandIn(ModuleType):
    """Keeps the shapes it was called with, and how."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self.calls: list[tuple[list[tuple[int, ...]], dict[str, object]]] = []

    def selective_scan_fn(
        self, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, **options: object
    ) -> tuple[Tensor, Tensor]:
        """x_l = exp(Δ_l A) x_(l−1) + Δ_l B_l u_l, y_l = C_l · x_l; u, delta: (batch, dim, length), B, C:
        (batch, state, length). The gradient of the last state is not considered in the backward pass."""
        given = (u, delta, A, B, C)
        assert all(part.dtype == torch.float32 and part.is_contiguous() for part in given)
        self.calls.append(([tuple(part.shape) for part in given], options))
        x, y = u.new_zeros(u.shape[0], *A.shape), []
        for step in range(u.shape[2]):
            d = delta[:, :, step, None]
            x = torch.exp(d * A) * x + d * B[:, None, :, step] * u[:, :, step, None]
            y.append((x * C[:, None, :, step]).sum(-1))
        return torch.stack(y, dim=2), x.detach()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    stand_in = StandIn()
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, NAME, stand_in)
    selective_scan._selective_scan_fn.cache_clear()
    yield stand_in
    selective_scan._selective_scan_fn.cache_clear()


def _inputs() -> list[Tensor]:
    torch.manual_seed(3)
    u, dt = torch.randn(2, BATCH, LENGTH, CHANNELS)
    B, C = torch.randn(2, BATCH, LENGTH, STATE)
    # As far apart as Mamba's own: A from -1 to -16.
    A = -torch.exp(4 * torch.rand(CHANNELS, STATE) * 0.69)
    h0 = torch.randn(BATCH, CHANNELS, STATE)
    return [part.requires_grad_() for part in (u, dt.sigmoid().detach(), A, B, C, h0)]


@pytest.mark.parametrize("initial", [True, False])
def test_it_is_the_reference_with_gradients_through_both_ends(kernel: StandIn, initial: bool) -> None:
    inputs = _inputs()[: 6 if initial else 5]
    weight = torch.cos(torch.arange(float(LENGTH)))[None, :, None]
    results = []
    for scan in (scan_reference, scan_mamba_ssm):
        y, last = scan(*inputs)
        results.append((y, last, *torch.autograd.grad((y * weight).sum() + last.square().sum(), inputs)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)
    steps = LENGTH + STATE * (2 if initial else 1)
    in_time, states = (BATCH, CHANNELS, steps), (BATCH, STATE, steps)
    [(shapes, options)] = kernel.calls
    assert shapes == [in_time, in_time, (CHANNELS, STATE), states, states]
    assert options == {"return_last_state": True}


def test_without_gradients_its_own_last_state_is_taken(kernel: StandIn) -> None:
    inputs = _inputs()[:5]
    with torch.no_grad():
        for ours, theirs in zip(scan_reference(*inputs), scan_mamba_ssm(*inputs), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)
    [(shapes, _)] = kernel.calls
    assert shapes[0] == (BATCH, CHANNELS, LENGTH)


def test_where_it_is_taken(kernel: StandIn) -> None:
    """On a GPU, in single or half precision, and where it adds fewer steps than there are."""
    assert fastest("cuda", torch.float32, 17, 8, True) is scan_mamba_ssm
    assert fastest("cuda", torch.bfloat16, 17, 8, False) is scan_mamba_ssm
    assert fastest("cuda", torch.float32, 16, 8, True) is scan_triton
    assert fastest("cuda", torch.float64, 17, 8, True) is scan_triton
    assert fastest("cpu", torch.float32, 17, 8, True) is scan_chunked
    assert fastest("cpu", torch.float32, 17, 8, False) is scan_reference
    assert fastest("cpu", torch.float32, 1, 8, True) is scan_reference


def test_where_it_cannot_be_imported_another_is_taken(
    kernel: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None among the modules is what an import that fails looks like."""
    monkeypatch.setitem(sys.modules, NAME, None)
    assert fastest("cuda", torch.float32, 64, 8, True) is scan_triton
    assert kernel.calls == []
