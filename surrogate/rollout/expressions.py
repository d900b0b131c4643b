"""Formulas as expressions: differentiated by the chain rule, evaluated by numpy, or written as nodes.

An expression is made once: what is written twice in a formula, or in its derivatives, is computed once.
Powers are made of products and of square and cube roots: a general power costs as much as twenty products.
ONNX Runtime has no arc tangent and no error function in double precision: both are made of what it has.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import count

import numpy as np
import scipy.special
from numpy.polynomial import Chebyshev, Polynomial

#: Halvings of an angle before its series, and terms of that: rounding for tangents up to 10.
_HALVINGS, _TERMS = 3, 10
#: Terms of erfc(x) exp(x²) in t = 1/(1 + x/2): rounding for x >= 0.
_ERROR_TERMS = 27


@dataclass(frozen=True)
class Expression:
    """An elementwise expression; made by the functions below, which simplify.

    operation: input, constant, add, multiply, reciprocal, root (square), cube_root, exp, log, arctan, erf
        (of arguments >= 0), floor (the larger of two), select (the second where the first is positive, else
        the third), exp_less_one (exp x - 1) or log_of_one_more (log(1 + x)), which have no derivatives here.
    arguments: what it acts on.
    value: of a constant.
    name: of an input.
    number: which it is of all that were made, so that the same formula is the same graph each time.
    """

    operation: str
    arguments: tuple["Expression", ...] = ()
    value: float = 0.0
    name: str = ""
    number: int = 0

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __add__(self, other: "Expression | float") -> "Expression":
        return _add(self, constant(other))

    def __mul__(self, other: "Expression | float") -> "Expression":
        return _multiply(self, constant(other))

    def __neg__(self) -> "Expression":
        return self * -1.0

    def __sub__(self, other: "Expression | float") -> "Expression":
        return self + constant(other) * -1.0

    def __rsub__(self, other: float) -> "Expression":
        return constant(other) - self

    def __truediv__(self, other: "Expression | float") -> "Expression":
        return self * reciprocal(constant(other))

    def __rtruediv__(self, other: float) -> "Expression":
        return constant(other) / self

    def __pow__(self, exponent: int | Fraction) -> "Expression":
        return _power(self, Fraction(exponent))

    __radd__, __rmul__ = __add__, __mul__


_numbers = count()


@cache
def _made(operation: str, arguments: tuple[Expression, ...], value: float, name: str) -> Expression:
    return Expression(operation, arguments, value, name, next(_numbers))


def of_name(name: str) -> Expression:
    """An input."""
    return _made("input", (), 0.0, name)


def constant(value: Expression | float) -> Expression:
    """A number; an expression stays one."""
    return value if isinstance(value, Expression) else _made("constant", (), float(value), "")


def _is_constant(expression: Expression) -> bool:
    return expression.operation == "constant"


def _of_two(operation: str, a: Expression, b: Expression) -> Expression:
    # A sum and a product are the same whichever way round; constants come first.
    first, second = sorted((a, b), key=lambda e: (not _is_constant(e), e.number))
    return _made(operation, (first, second), 0.0, "")


def _add(a: Expression, b: Expression) -> Expression:
    if _is_constant(a) and _is_constant(b):
        return constant(a.value + b.value)
    for one, other in ((a, b), (b, a)):
        if _is_constant(one) and one.value == 0.0:
            return other
    return a * 2.0 if a is b else _of_two("add", a, b)


def _multiply(a: Expression, b: Expression) -> Expression:
    if _is_constant(a) and _is_constant(b):
        return constant(a.value * b.value)
    for one, other in ((a, b), (b, a)):
        if _is_constant(one):
            if one.value in (0.0, 1.0):
                return one if one.value == 0.0 else other
            if other.operation == "multiply" and _is_constant(other.arguments[0]):
                return constant(one.value * other.arguments[0].value) * other.arguments[1]
        elif one.operation == "multiply" and _is_constant(one.arguments[0]):
            return one.arguments[0] * (one.arguments[1] * other)
    return _of_two("multiply", a, b)


def _of_one(operation: str, x: Expression) -> Expression:
    if _is_constant(x):
        return constant(float(_NUMPY[operation](x.value)))
    return _made(operation, (x,), 0.0, "")


def reciprocal(x: Expression) -> Expression:
    """1/x."""
    return x.arguments[0] if x.operation == "reciprocal" else _of_one("reciprocal", x)


def root(x: Expression) -> Expression:
    """√x."""
    return _of_one("root", x)


def cube_root(x: Expression) -> Expression:
    """The third root of x > 0."""
    return _of_one("cube_root", x)


def exp(x: Expression) -> Expression:
    """The exponential."""
    return _of_one("exp", x)


def log(x: Expression) -> Expression:
    """The natural logarithm."""
    return _of_one("log", x)


def arctan(x: Expression) -> Expression:
    """The arc tangent of -10 < x < 10."""
    return _of_one("arctan", x)


def erf(x: Expression) -> Expression:
    """The error function of x >= 0."""
    return _of_one("erf", x)


def floor(x: Expression, least: float) -> Expression:
    """x, or what is least; the derivative is that of x, for a floor below which nothing counts."""
    return floored(x, constant(least))


def floored(x: Expression, least: Expression) -> Expression:
    """The larger of two."""
    return _made("floor", (x, least), 0.0, "")


def exp_less_one(x: Expression) -> Expression:
    """exp x - 1."""
    return _of_one("exp_less_one", x)


def log_of_one_more(x: Expression) -> Expression:
    """log(1 + x)."""
    return _of_one("log_of_one_more", x)


def with_arguments(node: Expression, arguments: Sequence[Expression]) -> Expression:
    """The same operation on other arguments."""
    return _made(node.operation, tuple(arguments), node.value, node.name)


def select(where: Expression, positive: Expression, otherwise: Expression) -> Expression:
    """One where `where` is positive, the other elsewhere; both must be finite everywhere."""
    return positive if positive is otherwise else _made("select", (where, positive, otherwise), 0.0, "")


def _power(x: Expression, exponent: Fraction) -> Expression:
    if exponent < 0:
        return reciprocal(_power(x, -exponent))
    if exponent.denominator == 1:
        return _whole_power(x, exponent.numerator)
    roots = {2: root, 3: cube_root}
    return _whole_power(roots[exponent.denominator](x), exponent.numerator)


def _whole_power(x: Expression, n: int) -> Expression:
    if n == 0:
        return constant(1.0)
    half = _whole_power(x, n // 2)
    return half * half * x if n % 2 else half * half


def gradient(of: Expression, by: Sequence[Expression]) -> list[Expression]:
    """Derivatives with respect to inputs, all together: from the result back to what it is made of."""
    order = in_order([of])
    behind = {of: constant(1.0)}
    for node in reversed(order):
        if node not in behind or not node.arguments:
            continue
        for argument, factor in zip(node.arguments, _factors(node), strict=True):
            behind[argument] = behind.get(argument, constant(0.0)) + behind[node] * factor
    return [behind.get(name, constant(0.0)) for name in by]


def _factors(node: Expression) -> tuple[Expression, ...]:
    """Derivatives of one operation by its arguments; a choice chooses between derivatives."""
    one, nothing = constant(1.0), constant(0.0)
    if node.operation == "add":
        return one, one
    if node.operation == "multiply":
        return node.arguments[1], node.arguments[0]
    if node.operation == "floor":
        return one, nothing
    if node.operation == "select":
        return nothing, select(node.arguments[0], one, nothing), select(node.arguments[0], nothing, one)
    x = node.arguments[0]
    if node.operation == "reciprocal":
        return (-(node * node),)
    if node.operation == "root":
        return (0.5 / node,)
    if node.operation == "cube_root":
        return (1.0 / (3.0 * node * node),)
    if node.operation == "exp":
        return (node,)
    if node.operation == "log":
        return (reciprocal(x),)
    if node.operation == "arctan":
        return (1.0 / (1.0 + x * x),)
    assert node.operation == "erf"
    return (2.0 / math.sqrt(math.pi) * exp(-(x * x)),)


def in_order(wanted: Sequence[Expression]) -> list[Expression]:
    """Everything that the wanted ones are made of, arguments ahead of what is made of them."""
    found: dict[Expression, None] = {}
    waiting = [(node, False) for node in reversed(wanted)]
    while waiting:
        node, ready = waiting.pop()
        if node in found:
            continue
        if ready:
            found[node] = None
            continue
        waiting.append((node, True))
        waiting += [(argument, False) for argument in reversed(node.arguments)]
    return list(found)


def plain(wanted: Sequence[Expression]) -> list[Expression]:
    """The same without arc tangents and error functions."""
    known: dict[Expression, Expression] = {}
    for node in in_order(wanted):
        arguments = tuple(known[argument] for argument in node.arguments)
        if node.operation == "arctan":
            known[node] = _arctan_series(*arguments)
        elif node.operation == "erf":
            known[node] = _error_series(*arguments)
        else:
            known[node] = _made(node.operation, arguments, node.value, node.name)
    return [known[node] for node in wanted]


def evaluate(wanted: Sequence[Expression], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Values by numpy, as the graph computes them: of `plain`."""
    wanted = plain(wanted)
    values: dict[Expression, np.ndarray] = {}
    for node in in_order(wanted):
        arguments = [values[argument] for argument in node.arguments]
        if node.operation == "input":
            values[node] = inputs[node.name]
        elif node.operation == "constant":
            values[node] = np.asarray(node.value)
        else:
            values[node] = np.asarray(_NUMPY[node.operation](*arguments))
    return [values[node] for node in wanted]


def _arctan_series(x: Expression) -> Expression:
    """atan x = 2 atan(x / (1 + √(1 + x²))), and x - x³/3 + x⁵/5 - ... of what is left."""
    for _ in range(_HALVINGS):
        x = x / (1.0 + root(1.0 + x * x))
    square, series = x * x, constant(0.0)
    for n in reversed(range(_TERMS)):
        series = series * square + (-1.0) ** n / (2 * n + 1)
    return series * x * 2.0**_HALVINGS


def _error_series(x: Expression) -> Expression:
    """erf x = 1 - exp(-x²) g(t), with a polynomial g of t = 1/(1 + x/2)."""
    t = 1.0 / (1.0 + 0.5 * x)
    y, series = 2.0 * t - 1.0, constant(0.0)
    for coefficient in reversed(_error_polynomial()):
        series = series * y + coefficient
    return 1.0 - exp(-(x * x)) * series


@cache
def _error_polynomial() -> list[float]:
    """Of erfc(x) exp(x²) in y = 2 t - 1, -1 <= y <= 1."""

    def scaled(y: np.ndarray) -> np.ndarray:
        return scipy.special.erfcx(4.0 / (y + 1.0) - 2.0)

    return Chebyshev.interpolate(scaled, _ERROR_TERMS).convert(kind=Polynomial).coef.tolist()


_NUMPY = {
    "add": np.add,
    "multiply": np.multiply,
    "reciprocal": np.reciprocal,
    "root": np.sqrt,
    "cube_root": np.cbrt,
    "exp": np.exp,
    "log": np.log,
    "exp_less_one": np.expm1,
    "log_of_one_more": np.log1p,
    "arctan": np.arctan,
    "erf": scipy.special.erf,
    "floor": np.maximum,
    "select": lambda where, positive, otherwise: np.where(where > 0.0, positive, otherwise),
}
