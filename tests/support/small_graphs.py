"""The smallest graphs that keep docs/neural/graphs.md: a constant kernel, two members, no memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from hybrid_propagate.surrogate.runtime.fitting_factors import N_MOMENTS, N_TOKENS, TOKENS
from hybrid_propagate.surrogate.runtime.network_response import FORMAT
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
#: Kernels of the two members, times the identity, Hartree: roughly what XC adds to a hybrid's response.
KERNELS = (-0.10, -0.12)
METADATA = {
    "format": FORMAT,
    "tokens": TOKENS,
    "elements": "1 8",
    "levels": "pbe0_sto-3g",
    "base": "mean-field",
    "members": "2",
    "calibration": "1.0",
    "dt": "0.2",
    "state": "4",
    "weights": "small",
}


def write_small_graphs(folder: Path, **metadata: str) -> None:
    """encode.onnx and response.onnx; `metadata` replaces entries of METADATA."""
    folder.mkdir(exist_ok=True)
    for name, graph in (("encode", _encode()), ("response", _response())):
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        helper.set_model_props(model, METADATA | metadata)
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{name}.onnx")


def _encode() -> onnx.GraphProto:
    """kernel = identity (A d, A d) times each member's constant; context and coupling zero."""
    constants = {
        "members": np.array(KERNELS, np.float32).reshape(-1, 1, 1),
        "tokens": np.array([N_TOKENS], np.int64),
        "one": np.array([1], np.int64),
        "context_shape": np.array([2], np.int64),
        "coupling_shape": np.array([N_TOKENS, 3], np.int64),
    }
    nodes = [
        ("Shape", ["atomic_numbers"], "atoms"),
        ("Mul", ["atoms", "tokens"], "rows"),
        ("Concat", ["rows", "rows"], "square"),
        ("ConstantOfShape", ["square"], "zeros"),
        ("EyeLike", ["zeros"], "identity"),
        ("Mul", ["members", "identity"], "kernel"),
        ("Concat", ["atoms", "context_shape"], "context_of"),
        ("ConstantOfShape", ["context_of"], "context"),
        ("Concat", ["atoms", "coupling_shape"], "coupling_of"),
        ("ConstantOfShape", ["coupling_of"], "coupling"),
    ]
    return _graph(
        "encode",
        nodes,
        constants,
        [
            _value("atomic_numbers", ["A"], INT64),
            _value("positions", ["A", 3]),
            _value("pairs", [2, "e"], INT64),
            _value("basis_moments", ["A", N_MOMENTS]),
        ],
        [
            _value("kernel", [2, "t", "t"]),
            _value("context", ["A", 2]),
            _value("coupling", ["A", N_TOKENS, 3]),
        ],
    )


def _response() -> onnx.GraphProto:
    """The response that is given, and the members' standard deviation over its norm."""
    nodes = [
        ("Transpose", ["factors"], "columns", {"perm": [1, 0]}),
        ("MatMul", ["x", "columns"], "q"),
        ("MatMul", ["q", "variance"], "of_q"),
        ("Mul", ["q", "of_q"], "products"),
        ("ReduceSum", ["products", "last"], "square", {"keepdims": 0}),
        ("MatMul", ["x", "real"], "response_x"),
        ("MatMul", ["y", "imag"], "response_y"),
        ("Concat", ["response_x", "response_y"], "response", {"axis": 1}),
        ("ReduceSumSquare", ["response", "last"], "size", {"keepdims": 0}),
        ("Div", ["square", "size"], "relative"),
        ("Sqrt", ["relative"], "spread"),
    ]
    return _graph(
        "response",
        nodes,
        {"last": np.array([-1], np.int64)},
        [
            _value("factors", ["t", "p"]),
            _value("variance", ["t", "t"]),
            _value("real", ["p", "p"]),
            _value("imag", ["a", "a"]),
            _value("x", ["k", "p"]),
            _value("y", ["k", "a"]),
        ],
        [_value("response_x", ["k", "p"]), _value("response_y", ["k", "a"]), _value("spread", ["k"])],
    )


def _value(name: str, shape: Sequence[str | int], kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _graph(name: str, nodes, constants, inputs, outputs) -> onnx.GraphProto:
    made = []
    for operation, takes, gives, *attributes in nodes:
        extra = attributes[0] if attributes else {"axis": 0} if operation == "Concat" else {}
        made.append(helper.make_node(operation, takes, [gives], **extra))
    stored = [numpy_helper.from_array(value, key) for key, value in constants.items()]
    return helper.make_graph(made, name, inputs, outputs, stored)
