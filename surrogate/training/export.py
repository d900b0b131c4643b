"""Trained weights to ONNX graphs, checked against torch on molecules of other sizes before they are kept.

Shapes, units and names: docs/neural/graphs.md.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor
from torch.export import Dim

from ...atomic.errors import Failed
from ...atomic.whole_file import write_whole
from ..matrices.atom_pairs import atom_pairs
from ..network.response_model import ResponseModel
from ..network.response_step import (
    Encode,
    Linear,
    Memory,
    Now,
    Response,
    Rollout,
    Step,
    StepResult,
    linear,
    state_width,
)
from ..runtime.fitting_factors import N_CURRENTS, N_MOMENTS, N_TOKENS, TOKENS
from ..runtime.network_response import FORMAT
from .evaluate import load_model

#: Atoms, basis functions and time points of the molecules that graphs are traced with and compared on.
_TRACED, _COMPARED = (3, 5, 4), ((2, 4, 3), (5, 11, 7), (12, 30, 2))
#: Largest difference allowed, as a share of the largest value: rounding of single and of half precision.
_ALLOWED = {"float32": 2e-5, "float16": 3e-2}
#: Rounding of inputs, relative, how many times what it does to an output may be done by the graph's own, and
#: how many ways to round show what it does.
_ROUNDING, _ROUNDINGS, _WAYS = 2.0**-24, 4.0, 4
_OPSET = 20


class ExportFailed(Failed):
    """A graph that differs from torch, or that ONNX Runtime does not take. One line."""


@dataclass(frozen=True, eq=False)
class _Graph:
    name: str
    module: torch.nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    axes: Mapping[str, Mapping[int, str]]


_STEP_INPUTS = Linear._fields + Memory._fields + Now._fields
_STEP_OUTPUTS = StepResult._fields


def export(
    weights: Path, folder: Path, calibration: float, dt: float, precision: str, say: Callable[[str], None]
) -> list[Path]:
    """Write encode, response, step and rollout graphs to `folder`; the paths.

    calibration: factor of the spread; dt: step that the memory was trained with, au; precision: float32, or
    float16 for a response graph that computes in half precision inside. Raises PairsError for the weights,
    ExportFailed, OSError.
    """
    model, trained_on = load_model(weights)
    metadata = {
        "format": FORMAT,
        "tokens": TOKENS,
        "elements": " ".join(map(str, _list(trained_on["elements"]))),
        "levels": " ".join(map(str, _list(trained_on["levels"]))),
        "base": str(trained_on["base"]),
        "members": str(model.config.members),
        "calibration": repr(calibration),
        "dt": repr(dt),
        "state": str(state_width(model.dynamics)),
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "precision": precision,
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    graphs = _graphs(model, calibration)
    protos = {}
    traced = [graph for graph in graphs if graph.name != "rollout"]
    for number, graph in enumerate(traced, start=1):
        say(f"{graph.name}: traced, {number} of {len(traced)}, which takes about a minute")
        protos[graph.name] = _convert(graph, _example(graph.name, model, *_TRACED))
    protos["rollout"] = _scanned(protos["step"])
    for number, graph in enumerate(graphs, start=1):
        proto = protos[graph.name]
        # The encoder runs once a geometry, and sums messages in an operation that has no half precision; the
        # memory magnifies rounding.
        half = precision == "float16" and graph.name == "response"
        proto = _halved(proto) if half else proto
        onnx.helper.set_model_props(proto, dict(metadata))
        content = proto.SerializeToString()
        say(f"{graph.name}: compared with torch, {number} of {len(graphs)}")
        worst = max(_difference(graph, content, _example(graph.name, model, *size)) for size in _COMPARED)
        allowed = _ALLOWED["float16" if half else "float32"]
        if not worst <= allowed:
            raise ExportFailed(f"{graph.name}: differs from torch by {worst:.1e}, allowed {allowed:.0e}")
        path = folder / f"{graph.name}.onnx"
        write_whole(path, content)
        say(f"{path}: {len(content) / 2**20:.2f} MiB, differs from torch by {worst:.1e}")
        paths.append(path)
    return paths


def _graphs(model: ResponseModel, calibration: float) -> list[_Graph]:
    atoms, pairs, rows = {0: "atoms"}, {1: "pairs"}, {0: "atom_tokens"}
    encode = _Graph(
        "encode",
        Encode(model),
        ("atomic_numbers", "positions", "pairs", "basis_moments"),
        ("kernel", "context", "coupling"),
        {"atomic_numbers": atoms, "positions": atoms, "pairs": pairs, "basis_moments": atoms},
    )
    axes: dict[str, Mapping[int, str]] = {
        "factors": {**rows, 1: "symmetric"},
        "variance": {**rows, 1: "atom_tokens"},
        "currents": {0: "atom_currents", 1: "antisymmetric"},
        "context": atoms,
        "coupling": atoms,
        "real": {0: "symmetric", 1: "symmetric"},
        "imag": {0: "antisymmetric", 1: "antisymmetric"},
        "answers": {**rows, 1: "symmetric"},
        "state": atoms,
    }
    many = {**axes, "x": {0: "changes", 1: "symmetric"}, "y": {0: "changes", 1: "antisymmetric"}}
    one = {**axes, "x": {0: "symmetric"}, "y": {0: "antisymmetric"}, "field": {}}
    step, rollout = Step(model.dynamics, calibration), Rollout(model.dynamics, calibration)
    return [
        encode,
        _Graph("response", Response(calibration), (*Linear._fields, "x", "y"), _STEP_OUTPUTS[:3], many),
        _Graph("step", step, _STEP_INPUTS, _STEP_OUTPUTS, one),
        _Graph("rollout", rollout, _STEP_INPUTS, _STEP_OUTPUTS, {}),
    ]


def _example(name: str, model: ResponseModel, n_atoms: int, n: int, times: int) -> tuple[Tensor, ...]:
    """Inputs of the right shapes: random atoms, factors of size one, a response of the usual size."""
    generator = torch.Generator().manual_seed(1000 * n_atoms + n)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    if name == "encode":
        numbers = torch.tensor(
            [model.config.elements[k % len(model.config.elements)] for k in range(n_atoms)]
        )
        # Atoms on a crooked line, a bond apart.
        positions = 2.0 * torch.arange(n_atoms)[:, None] * torch.tensor([[0.8, 0.5, 0.3]]) + 0.3 * normal(
            n_atoms, 3
        )
        pairs = torch.as_tensor(atom_pairs(np.array([n_atoms])))
        return numbers, positions, pairs, normal(n_atoms, N_MOMENTS).abs()
    p, a, config = n * (n + 1) // 2, n * (n - 1) // 2, model.config
    rows = n_atoms * N_TOKENS
    lead = () if name == "step" else (times,)
    coupling = 0.1 * normal(n_atoms, N_TOKENS, 3)
    B, kernel = normal(rows, p) / rows**0.5, 0.1 * normal(config.members, rows, rows)
    base_real, base_imag = (normal(k, k) / max(k, 1) ** 0.5 for k in (p, a))
    of = linear(B, (kernel + kernel.mT) / 2, base_real, base_imag)
    x, y, field = (scale * normal(*lead, k) for scale, k in ((0.1, p), (0.1, a), (0.01, 3)))
    if name == "response":
        return *of, x, y
    currents, context = normal(n_atoms * N_CURRENTS, a) / rows**0.5, normal(n_atoms, config.context)
    state = torch.zeros(n_atoms, state_width(model.dynamics))
    return *of, *Memory(currents, context, coupling, B @ of.real), *Now(x, y, field, state)


def _convert(graph: _Graph, example: tuple[Tensor, ...]) -> onnx.ModelProto:
    module = graph.module.eval()
    shapes: Any = tuple({axis: Dim.DYNAMIC for axis in graph.axes[name]} for name in graph.inputs)
    if graph.name != "encode":
        # These take their inputs as one variable list.
        shapes = (shapes,)
    with torch.no_grad():
        exported = torch.export.export(module, example, dynamic_shapes=shapes, strict=False)
        # Decomposed, e3nn's products run two to four times faster.
        exported = exported.run_decompositions()
        program: Any = torch.onnx.export(
            exported,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            opset_version=_OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    return _simplified(program.model_proto)


def _simplified(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Constants folded and nothing but the graph kept: a sixth of the nodes, a twentieth of the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "simplified.onnx")
        onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        simple = onnx.load(options.optimized_model_filepath)
    for node in simple.graph.node:
        del node.metadata_props[:]
    del simple.metadata_props[:]
    return simple


def _scanned(step: onnx.ModelProto) -> onnx.ModelProto:
    """The rollout: one Scan whose body is the step's graph; what does not change in time it sees from
    outside."""
    carried, rows = "state", ("x", "y", "field")
    inner = {name: f"{name}_now" for name in (carried, *rows, *_STEP_OUTPUTS)}
    body, outer = onnx.GraphProto(), onnx.GraphProto()
    body.name, outer.name = "step", "rollout"
    for node in step.graph.node:
        copy = body.node.add()
        copy.CopyFrom(node)
        copy.input[:] = [inner.get(name, name) for name in node.input]
        copy.output[:] = [inner.get(name, name) for name in node.output]
    values = {value.name: value for value in (*step.graph.input, *step.graph.output)}

    def value_of(name: str, new: str, times: str | None) -> onnx.ValueInfoProto:
        value = onnx.ValueInfoProto()
        value.CopyFrom(values[name])
        value.name = new
        if times is not None:
            shape = value.type.tensor_type.shape
            old = list(shape.dim)
            del shape.dim[:]
            shape.dim.add().dim_param = times
            shape.dim.extend(old)
        return value

    results = [name for name in _STEP_OUTPUTS if name != "next_state"]
    body.input.extend(value_of(name, inner[name], None) for name in (carried, *rows))
    body.output.extend(value_of(name, inner[name], None) for name in ("next_state", *results))
    outer.initializer.extend(step.graph.initializer)
    outer.input.extend(
        value_of(name, name, "time" if name in rows else None) for name in _STEP_INPUTS if name in values
    )
    outer.node.append(
        onnx.helper.make_node(
            "Scan", [carried, *rows], ["next_state", *results], num_scan_inputs=len(rows), body=body
        )
    )
    outer.output.extend(value_of(name, name, "time" if name in results else None) for name in _STEP_OUTPUTS)
    return onnx.helper.make_model(
        outer, opset_imports=step.opset_import, functions=step.functions, ir_version=step.ir_version
    )


def _halved(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph in half precision inside, inputs and outputs in single."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(proto, keep_io_types=True)


def _difference(graph: _Graph, content: bytes, inputs: tuple[Tensor, ...]) -> float:
    """Largest difference of any output from torch's, over that output's largest value.

    Of graphs with a memory less what rounding does: it solves equations that magnify it, so torch differs
    from itself when its inputs are rounded otherwise.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        feeds = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        wanted = {entry.name for entry in session.get_inputs()}
        found = session.run(list(graph.outputs), {k: v for k, v in feeds.items() if k in wanted})
    except Exception as error:
        raise ExportFailed(f"{graph.name}: ONNX Runtime: {str(error).splitlines()[0]}") from error
    with torch.no_grad():
        expected = graph.module(*inputs)
        ways = range(_WAYS) if "state" in graph.inputs else ()
        rounded = [graph.module(*(_rounded(value, way) for value in inputs)) for way in ways]
    worst = 0.0
    for k, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
        scale = max(float(ours.abs().max()), 1e-6)
        moved = max((float((ours - others[k]).abs().max()) for others in rounded), default=0.0)
        magnified = _ROUNDINGS * moved
        apart = float(np.abs(ours.numpy() - np.asarray(theirs)).max())
        worst = max(worst, (apart - magnified) / scale)
    return worst


def _rounded(values: Tensor, way: int) -> Tensor:
    """Off by a rounding, either way; whole numbers are exact."""
    if not values.is_floating_point():
        return values
    generator = torch.Generator().manual_seed(way)
    return values * (1 + _ROUNDING * torch.randn(values.shape, generator=generator))


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
