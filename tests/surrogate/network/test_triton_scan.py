"""The Triton scan against the reference, with gradients: on a GPU where there is one, and interpreted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

#: Sequences, steps, channels, states: one block of channels and several, sizes that are no powers of two.
SHAPES = [(2, 1, 3, 4), (1, 5, 40, 3), (2, 9, 33, 8)]


def difference(device: str) -> float:
    """The largest of values, last state and all gradients, in single precision: over 2e-5 + 2e-4 |value|."""
    from hybrid_propagate.surrogate.network.selective_scan import scan_reference
    from hybrid_propagate.surrogate.network.triton_scan import scan_triton

    worst = 0.0
    for batch, length, channels, state in SHAPES:
        torch.manual_seed(length)
        u, B, C, h0 = (
            torch.randn(shape, device=device)
            for shape in (
                (batch, length, channels),
                (batch, length, state),
                (batch, length, state),
                (batch, channels, state),
            )
        )
        dt = torch.rand(batch, length, channels, device=device)
        A = -torch.rand(channels, state, device=device)
        inputs = [part.requires_grad_() for part in (u, dt, A, B, C, h0)]
        weight = torch.cos(torch.arange(length, device=device))[None, :, None]
        results = []
        for scan in (scan_reference, scan_triton):
            y, last = scan(*inputs)
            gradients = torch.autograd.grad((y * weight).sum() + last.square().sum(), inputs)
            results.append((y, last, *gradients))
        for ours, theirs in zip(*results, strict=True):
            assert ours.shape == theirs.shape
            worst = max(worst, float(((ours - theirs).abs() / (2e-5 + 2e-4 * ours.abs())).max()))
    return worst


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu() -> None:
    assert difference("cuda") < 1


def test_interpreted() -> None:
    """In a process of its own: Triton reads the switch when it is imported."""
    code = "import test_triton_scan; print(test_triton_scan.difference('cpu'))"
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) < 1
