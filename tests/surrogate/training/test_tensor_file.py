"""Training goes on from a file of tensors; a file that would run something is refused, and runs nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.samples.pairs_file import PairsError
from hybrid_propagate.surrogate.training.evaluate import load_model
from hybrid_propagate.surrogate.training.molecule_adaptation import learned_from
from hybrid_propagate.surrogate.training.tensor_file import TensorFileError, load_tensors
from hybrid_propagate.surrogate.training.trainer import Schedule, train
from torch import Tensor

SCHEDULE = Schedule(steps=4, rate=1e-3, decay=0.0, precision="float32", checkpoint=2, seed=1)


class Evil:
    """Unpickled, it leaves a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch PWNED",)


class Line:
    """The smallest task: a line through two points."""

    name = "line"

    def __init__(self) -> None:
        self.module: torch.nn.Module = torch.nn.Linear(1, 1)

    def draw(self, step: int, rng: np.random.Generator) -> list[float]:
        return rng.random(2).tolist()

    def loss(self, step: int, batch: list[float]) -> tuple[Tensor, dict[str, float]]:
        x = torch.tensor(batch)[:, None]
        return ((self.module(x) - 2 * x) ** 2).mean(), {}


def ignore(step: int, values: dict[str, float]) -> None:
    """Nobody looks."""


@pytest.mark.parametrize(
    "content",
    [{"module": Evil()}, Evil(), [1, 2], {"module": {"weight": torch.zeros(7)}}, {}],
    ids=["evil inside", "evil", "a list", "another network", "nothing"],
)
def test_a_foreign_state_is_refused(content: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "line.pt")
    with pytest.raises(TensorFileError) as caught:
        train(Line(), SCHEDULE, tmp_path, ignore)
    assert str(caught.value).startswith(f"{tmp_path / 'line.pt'}: not a ")
    with pytest.raises(PairsError):
        load_model(tmp_path / "line.pt")
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"cos\nsystem\n(S'touch PWNED'\ntR.",
        # The opcode .W at its head ends in IndexError.
        b".W\xc6h-\x9c\xccqazg\xd0\xd4g\x85(\x1bU\x1e",
    ],
)
def test_no_file_of_torch(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pt").write_bytes(data)
    for read in (load_tensors, learned_from):
        with pytest.raises(TensorFileError, match="not a file of tensors"):
            read(tmp_path / "weights.pt")
    assert not (tmp_path / "PWNED").exists()


def test_no_bytes_at_all_are_a_file_of_torch(tmp_path: Path) -> None:
    draw = np.random.default_rng(11)
    for _ in range(400):
        path = tmp_path / "weights.pt"
        path.write_bytes(draw.bytes(int(draw.integers(1, 400))))
        with pytest.raises(TensorFileError, match="not a file of tensors"):
            load_tensors(path)


def test_its_own_state_is_gone_on_from_to_the_last_bit(tmp_path: Path) -> None:
    whole, parts = Line(), Line()
    parts.module.load_state_dict(whole.module.state_dict())
    (tmp_path / "a").mkdir()
    train(whole, SCHEDULE, tmp_path / "a", ignore)
    (tmp_path / "b").mkdir()
    train(parts, SCHEDULE, tmp_path / "b", ignore, stop=2)
    resumed = Line()
    train(resumed, SCHEDULE, tmp_path / "b", ignore)
    for mine, other in zip(resumed.module.parameters(), whole.module.parameters(), strict=True):
        assert torch.equal(mine, other)
