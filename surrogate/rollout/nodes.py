"""Nodes of an ONNX graph, written one after the other: each call returns the name of what it computes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .expressions import Expression, in_order, plain

#: Operations of opset 18 that ONNX Runtime has in double precision on the CPU.
OPSET, IR_VERSION = 18, 9
_OPERATIONS = {
    "add": "Add",
    "multiply": "Mul",
    "reciprocal": "Reciprocal",
    "root": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "floor": "Max",
}


class Nodes:
    """A list of nodes that grows, and the constants that they use.

    lead: of the names of what is computed, which a graph inside another must not share with it.
    """

    def __init__(self, lead: str = "") -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._lead = lead
        self._known: dict[tuple[tuple[int, ...], str, bytes], str] = {}

    def inner(self, lead: str) -> "Nodes":
        """For a graph inside this one, with the same constants."""
        inside = Nodes(lead)
        inside.constants, inside._known = self.constants, self._known
        return inside

    def __call__(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """One node of one result."""
        return self.several(operation, 1, *inputs, **attributes)[0]

    def several(self, operation: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """One node of several results."""
        number = len(self.nodes)
        name = f"{self._lead}{operation.lower()}_{number}"
        results = [name + (f"_{k}" if k else "") for k in range(count)]
        self.nodes.append(helper.make_node(operation, list(inputs), results, **attributes))
        return results

    def constant(self, value: np.ndarray | float) -> str:
        """Of double precision; the same numbers are kept once."""
        return self._constant(np.asarray(value, np.float64))

    def whole(self, *values: int) -> str:
        """Whole numbers: shapes and axes."""
        return self._constant(np.array(values, np.int64))

    def whole_scalar(self, value: int) -> str:
        """A whole number without axes."""
        return self._constant(np.array(value, np.int64))

    def indices(self, values: np.ndarray) -> str:
        """Whole numbers, for Gather."""
        return self._constant(values.astype(np.int64))

    def _constant(self, value: np.ndarray) -> str:
        value = np.ascontiguousarray(value)
        key = value.shape, value.dtype.str, value.tobytes()
        if key not in self._known:
            name = f"constant_{len(self.constants)}"
            self.constants[name] = numpy_helper.from_array(value, name)
            self._known[key] = name
        return self._known[key]

    def reshape(self, value: str, *shape: int) -> str:
        """0 keeps an axis, -1 is what is left."""
        return self("Reshape", value, self.whole(*shape))

    def total(self, value: str, axis: int, *, keep: bool = True) -> str:
        """Sum over an axis."""
        return self("ReduceSum", value, self.whole(axis), keepdims=int(keep))

    def split(self, value: str, axis: int, *sizes: int) -> list[str]:
        """Parts along an axis, which they keep."""
        return self.several("Split", len(sizes), value, self.whole(*sizes), axis=axis)

    def expressions(self, wanted: Sequence[Expression], inputs: Mapping[str, str]) -> list[str]:
        """Nodes of elementwise expressions."""
        wanted = plain(wanted)
        names: dict[Expression, str] = {}
        for node in in_order(wanted):
            arguments = [names[argument] for argument in node.arguments]
            if node.operation == "input":
                names[node] = inputs[node.name]
            elif node.operation == "constant":
                names[node] = self.constant(node.value)
            elif node.operation == "cube_root":
                names[node] = self("Pow", *arguments, self.constant(1.0 / 3.0))
            elif node.operation == "exp_less_one":
                half = self("Tanh", self("Mul", *arguments, self.constant(0.5)))
                less = self("Sub", self.constant(1.0), half)
                names[node] = self("Div", self("Mul", half, self.constant(2.0)), less)
            elif node.operation == "log_of_one_more":
                names[node] = self._log_of_one_more(*arguments)
            elif node.operation == "select":
                where = self("Greater", arguments[0], self.constant(0.0))
                names[node] = self("Where", where, *arguments[1:])
            else:
                names[node] = self(_OPERATIONS[node.operation], *arguments)
        return [names[node] for node in wanted]

    def _log_of_one_more(self, x: str) -> str:
        """2 artanh(x / (2 + x)) where x is small."""
        ratio = self("Div", x, self("Add", x, self.constant(2.0)))
        small = self("Mul", self("Atanh", ratio), self.constant(2.0))
        large = self("Log", self("Add", x, self.constant(1.0)))
        return self("Where", self("Greater", x, self.constant(1.0)), large, small)

    def graph(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Mapping[str, onnx.ValueInfoProto],
        *,
        own_constants: bool = True,
    ) -> onnx.GraphProto:
        """outputs: by the name of what is computed; own_constants: no graph around it has them."""
        named = [helper.make_node("Identity", [result], [info.name]) for result, info in outputs.items()]
        constants = list(self.constants.values()) if own_constants else []
        return helper.make_graph([*self.nodes, *named], name, list(inputs), list(outputs.values()), constants)


def tensor(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    """A float64 input or output; words are axes of any length."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, shape)


def in_single_precision(graph: onnx.GraphProto) -> None:
    """Make every constant, input and output of double precision one of single, and those of graphs inside."""
    double, single = onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == double:
            value.type.tensor_type.elem_type = single
    for constant in graph.initializer:
        if constant.data_type == double:
            values = numpy_helper.to_array(constant).astype(np.float32)
            constant.CopyFrom(numpy_helper.from_array(values, constant.name))
    for inside in (attribute for node in graph.node for attribute in node.attribute):
        if inside.type == onnx.AttributeProto.GRAPH:
            in_single_precision(inside.g)
