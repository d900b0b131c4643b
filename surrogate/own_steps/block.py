"""Steps of a few trajectories at once, by the graph of a run in ONNX Runtime."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnxruntime

from ..rollout.molecule import RolloutMatrices
from ..runtime.session import Device, open_model
from .run_graph import NOT_MADE, ROWS, STATE, run_graph

#: Bytes of the states of a call, over all trajectories; most steps of one.
HELD, MOST_STEPS = 2**24, 64
#: Graphs kept: the run's, its shadow's where occupations differ, and those of points learned anew.
KEPT = 3


@dataclass(frozen=True, eq=False)
class Request:
    """Steps of one trajectory, in the graph's arrays.

    state: orbitals (n_spin, k, 2m), fock and fock_half (n_spin, 2, m, m). amplitudes: (steps, f).
    rows: changes, images (n, 2d), orders (n, 3).
    """

    state: tuple[np.ndarray, np.ndarray, np.ndarray]
    amplitudes: np.ndarray
    rows: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Made:
    """States after each step, (steps, ...) as in `Request`; changes: (steps, 199, n_spin)."""

    state: tuple[np.ndarray, np.ndarray, np.ndarray]
    changes: np.ndarray

    def changes_of(self, step: int) -> list[np.ndarray]:
        """Of the norm at corrections 2, 3, ..., (n_spin,) each."""
        found = self.changes[step]
        n = int(np.argmax(found[:, 0] == NOT_MADE)) if (found[:, 0] == NOT_MADE).any() else len(found)
        return list(found[:n])


@dataclass(frozen=True)
class BlockRules:
    """dt: au. tolerance: of the norm's change. device: where ONNX Runtime works."""

    dt: float
    tolerance: float
    device: Device


class Block:
    """The graph of one molecule, open in ONNX Runtime."""

    def __init__(self, molecule: RolloutMatrices, to_canonical: np.ndarray, rules: BlockRules) -> None:
        model = run_graph(molecule, rules.dt, rules.tolerance, to_canonical)
        self._session: onnxruntime.InferenceSession = open_model(model.SerializeToString(), rules.device)

    def run(self, requests: Sequence[Request]) -> list[Made]:
        """Steps of all trajectories, as many as the fewest asked for."""
        n_steps = min(len(request.amplitudes) for request in requests)
        n_rows = max(len(request.rows[2]) for request in requests)
        state = {name: np.array([r.state[k] for r in requests]) for k, name in enumerate(STATE)}
        amplitudes = np.stack([request.amplitudes[:n_steps] for request in requests], axis=1)
        rows = {
            name: np.array([_filled(request.rows[k], n_rows) for request in requests])
            for k, name in enumerate((ROWS.changes, ROWS.images, ROWS.orders))
        }
        outputs = self._session.run(None, {**state, "amplitudes": amplitudes, **rows})
        *later, changes = (np.asarray(output) for output in outputs)
        orbitals, fock, half = later
        return [Made((orbitals[:, k], fock[:, k], half[:, k]), changes[:, k]) for k in range(len(requests))]


class StepGraphs(Protocol):
    """Where steps are made."""

    def block(self, key: bytes, make: Callable[[], Block]) -> Block:
        """The graph of a key, made where there is none."""
        ...

    def run(self, block: Block, request: Request) -> Made:
        """Some steps of a trajectory."""
        ...


class Alone:
    """Implements `StepGraphs` for one trajectory; keeps a few graphs, the last ones made."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, Block] = {}

    def block(self, key: bytes, make: Callable[[], Block]) -> Block:
        """See `StepGraphs`."""
        if key not in self._blocks:
            while len(self._blocks) >= KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[key] = make()
        return self._blocks[key]

    def run(self, block: Block, request: Request) -> Made:
        """See `StepGraphs`."""
        return block.run([request])[0]


def most_steps(molecule: RolloutMatrices) -> int:
    """Of one call."""
    return int(np.clip(HELD // (8 * (4 * molecule.fock.size + 2 * molecule.orbitals.size)), 1, MOST_STEPS))


def _filled(rows: np.ndarray, n: int) -> np.ndarray:
    """Zeros below, to n rows."""
    return np.concatenate([rows, np.zeros((n - len(rows), rows.shape[1]))])
