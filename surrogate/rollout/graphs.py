"""The three graphs of a molecule: its start, a step, and a block of steps. Axes: docs/neural/rollout.md."""

from collections.abc import Mapping

import onnx
from onnx import helper

from .magnus_step import StateNames, start, step
from .molecule import RolloutMatrices
from .nodes import IR_VERSION, OPSET, Nodes, tensor

#: Files by what they hold.
FILES = {"start": "start.onnx", "step": "magnus_step.onnx", "block": "magnus_block.onnx"}
_STATE = ("orbitals", "fock", "fock_half")


def graphs_of(
    molecule: RolloutMatrices, dt: float, metadata: Mapping[str, str]
) -> dict[str, onnx.ModelProto]:
    """By the names of `FILES`. Raises TooLong."""
    made = {"start": _start(molecule), "step": _step(molecule, dt), "block": _block(molecule, dt)}
    models = {}
    for name, graph in made.items():
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        helper.set_model_props(model, {"graph": name, **metadata})
        models[name] = model
    return models


def _state(molecule: RolloutMatrices, prefix: str = "") -> list[onnx.ValueInfoProto]:
    n_spin, m, k = molecule.orbitals.shape
    shapes = ((n_spin, k, 2 * m), (n_spin, 2, m, m), (n_spin, 2, m, m))
    return [tensor(prefix + name, "batch", *shape) for name, shape in zip(_STATE, shapes, strict=True)]


def _names(state: StateNames) -> tuple[str, str, str]:
    return state.orbitals, state.fock, state.fock_half


def _start(molecule: RolloutMatrices) -> onnx.GraphProto:
    nodes = Nodes()
    state, dipole = start(nodes, molecule, "field")
    # The history of a start is F(0) itself, under a name of its own.
    names = (*_names(state)[:2], nodes("Identity", state.fock_half), dipole)
    results = dict(zip(names, (*_state(molecule), tensor("dipole", "batch", 3)), strict=True))
    return nodes.graph("start", [tensor("field", "batch", 3)], results)


def _step(molecule: RolloutMatrices, dt: float) -> onnx.GraphProto:
    nodes = Nodes()
    state, dipole = step(nodes, molecule, dt, StateNames(*_STATE), "field")
    after = (*_state(molecule, "next_"), tensor("dipole", "batch", 3))
    results = dict(zip((*_names(state), dipole), after, strict=True))
    return nodes.graph("step", [*_state(molecule), tensor("field", "batch", 3)], results)


def _block(molecule: RolloutMatrices, dt: float) -> onnx.GraphProto:
    """One Scan over the fields, whose body is the step; it sees the constants from outside."""
    body = Nodes()
    now = StateNames(*(f"{name}_now" for name in _STATE))
    state, dipole = step(body, molecule, dt, now, "field_now")
    after = (*_state(molecule, "later_"), tensor("dipole_now", "batch", 3))
    results = dict(zip((*_names(state), dipole), after, strict=True))
    inside = [*_renamed(_state(molecule), "_now"), tensor("field_now", "batch", 3)]
    graph = body.graph("step", inside, results, own_constants=False)
    last = [f"next_{name}" for name in _STATE]
    scan = helper.make_node("Scan", [*_STATE, "fields"], [*last, "dipole"], body=graph, num_scan_inputs=1)
    return helper.make_graph(
        [scan],
        "block",
        [*_state(molecule), tensor("fields", "time", "batch", 3)],
        [*_state(molecule, "next_"), tensor("dipole", "time", "batch", 3)],
        list(body.constants.values()),
    )


def _renamed(values: list[onnx.ValueInfoProto], end: str) -> list[onnx.ValueInfoProto]:
    for value in values:
        value.name += end
    return values
