"""The three graphs of a molecule: its start, a step, and a block of steps. Axes: docs/neural/rollout.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import onnx
from onnx import helper

from . import changes, magnus_step
from .magnus_step import StateNames
from .molecule import RolloutMatrices
from .nodes import IR_VERSION, OPSET, Nodes, in_single_precision, tensor

Precision = Literal["float64", "float32"]
#: Files by what they hold.
FILES = {"start": "start.onnx", "step": "magnus_step.onnx", "block": "magnus_block.onnx"}


@dataclass(frozen=True)
class _Kind:
    """Of a graph: names of its state and its dipole, nodes of its start and its step."""

    state: tuple[str, str, str]
    dipole: str
    start: Callable[[Nodes, RolloutMatrices, str], tuple[StateNames, str]]
    step: Callable[[Nodes, RolloutMatrices, float, StateNames, str], tuple[StateNames, str]]


_KINDS: Mapping[Precision, _Kind] = {
    "float64": _Kind(("orbitals", "fock", "fock_half"), "dipole", magnus_step.start, magnus_step.step),
    "float32": _Kind(
        ("orbitals_change", "fock_change", "fock_half_change"), "dipole_change", changes.start, changes.step
    ),
}


def graphs_of(
    molecule: RolloutMatrices, dt: float, metadata: Mapping[str, str], precision: Precision = "float64"
) -> dict[str, onnx.ModelProto]:
    """By the names of `FILES`; in single precision of changes from the ground state. Raises TooLong."""
    kind = _KINDS[precision]
    made = {
        "start": _start(molecule, kind),
        "step": _step(molecule, dt, kind),
        "block": _block(molecule, dt, kind),
    }
    models = {}
    for name, graph in made.items():
        if precision == "float32":
            in_single_precision(graph)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, {"graph": name, **metadata})
        models[name] = model
    return models


def _state(molecule: RolloutMatrices, kind: _Kind, prefix: str = "") -> list[onnx.ValueInfoProto]:
    n_spin, m, k = molecule.orbitals.shape
    shapes = ((n_spin, k, 2 * m), (n_spin, 2, m, m), (n_spin, 2, m, m))
    return [tensor(prefix + name, "batch", *shape) for name, shape in zip(kind.state, shapes, strict=True)]


def _names(state: StateNames) -> tuple[str, str, str]:
    return state.orbitals, state.fock, state.fock_half


def _start(molecule: RolloutMatrices, kind: _Kind) -> onnx.GraphProto:
    nodes = Nodes()
    state, dipole = kind.start(nodes, molecule, "field")
    # The history of a start is F(0) itself, under a name of its own.
    names = (*_names(state)[:2], nodes("Identity", state.fock_half), dipole)
    results = dict(zip(names, (*_state(molecule, kind), tensor(kind.dipole, "batch", 3)), strict=True))
    return nodes.graph("start", [tensor("field", "batch", 3)], results)


def _step(molecule: RolloutMatrices, dt: float, kind: _Kind) -> onnx.GraphProto:
    nodes = Nodes()
    state, dipole = kind.step(nodes, molecule, dt, StateNames(*kind.state), "field")
    after = (*_state(molecule, kind, "next_"), tensor(kind.dipole, "batch", 3))
    results = dict(zip((*_names(state), dipole), after, strict=True))
    return nodes.graph("step", [*_state(molecule, kind), tensor("field", "batch", 3)], results)


def _block(molecule: RolloutMatrices, dt: float, kind: _Kind) -> onnx.GraphProto:
    """One Scan over the fields, whose body is the step; it sees the constants from outside."""
    body = Nodes()
    now = StateNames(*(f"{name}_now" for name in kind.state))
    state, dipole = kind.step(body, molecule, dt, now, "field_now")
    after = (*_state(molecule, kind, "later_"), tensor("dipole_now", "batch", 3))
    results = dict(zip((*_names(state), dipole), after, strict=True))
    inside = [*_renamed(_state(molecule, kind), "_now"), tensor("field_now", "batch", 3)]
    graph = body.graph("step", inside, results, own_constants=False)
    last = [f"next_{name}" for name in kind.state]
    scan = helper.make_node(
        "Scan", [*kind.state, "fields"], [*last, kind.dipole], body=graph, num_scan_inputs=1
    )
    return helper.make_graph(
        [scan],
        "block",
        [*_state(molecule, kind), tensor("fields", "time", "batch", 3)],
        [*_state(molecule, kind, "next_"), tensor(kind.dipole, "time", "batch", 3)],
        list(body.constants.values()),
    )


def _renamed(values: list[onnx.ValueInfoProto], end: str) -> list[onnx.ValueInfoProto]:
    for value in values:
        value.name += end
    return values
