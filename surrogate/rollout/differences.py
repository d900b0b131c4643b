"""What expressions change by as their inputs do, without the difference of two nearly equal numbers.

    Δ(a + b) = Δa + Δb,   Δ(a b) = Δa (b₀ + Δb) + a₀ Δb,   Δ(1/a) = -Δa / (a₀ a),   Δ√a = Δa / (√a₀ + √a),
    Δ∛a = Δa / (∛a₀² + ∛a₀ ∛a + ∛a²),   Δ exp a = ± exp max(a₀, a) (1 - exp -|Δa|),   Δ log a = log(1 + Δa/a₀)

So in single precision a small change keeps as many digits as a large one, and a large one stays finite.
"""

from collections.abc import Callable, Mapping, Sequence

from .expressions import (
    Expression,
    constant,
    cube_root,
    exp,
    exp_less_one,
    floored,
    in_order,
    log_of_one_more,
    of_name,
    plain,
    reciprocal,
    root,
    select,
    with_arguments,
)

_AtRest = Callable[[Expression], Expression]


def differences(wanted: Sequence[Expression]) -> tuple[list[Expression], dict[str, Expression]]:
    """Of expressions the changes from rest, as expressions of their inputs' changes, by the same names.

    Also names of further inputs, by each the expression whose value at rest it is.
    """
    wanted = plain(wanted)
    rests: dict[Expression, Expression] = {}

    def at_rest(x: Expression) -> Expression:
        if x.operation == "constant":
            return x
        return rests.setdefault(x, of_name(f"rest_{len(rests)}"))

    # now: the values themselves, formed from the inputs': a floor holds there, too.
    change: dict[Expression, Expression] = {}
    now: dict[Expression, Expression] = {}
    for node in in_order(wanted):
        if node.operation == "input":
            change[node], now[node] = node, at_rest(node) + node
        else:
            now[node] = with_arguments(node, [now[argument] for argument in node.arguments])
            change[node] = _change(node, change, now, at_rest)
    return [change[node] for node in wanted], {name.name: x for x, name in rests.items()}


def _change(
    node: Expression,
    change: Mapping[Expression, Expression],
    now: Mapping[Expression, Expression],
    at_rest: _AtRest,
) -> Expression:
    """Of one operation, by those of its arguments."""
    if node.operation == "constant":
        return constant(0.0)
    if node.operation == "select":
        where, *choices = node.arguments
        # Where the choice is another than at rest, the two are apart by more than they change.
        return select(now[where], *(change[one] + at_rest(one - node) for one in choices))
    x, *others = node.arguments
    moved = change[x]
    if node.operation == "add":
        return moved + change[others[0]]
    if node.operation == "multiply":
        return moved * now[others[0]] + at_rest(x) * change[others[0]]
    if node.operation == "floor":
        return floored(moved + at_rest(x - node), others[0] - at_rest(node))
    if node.operation == "reciprocal":
        return -(moved * at_rest(node) * reciprocal(now[x]))
    if node.operation == "root":
        return moved / (at_rest(node) + root(now[x]))
    if node.operation == "cube_root":
        before, after = at_rest(node), cube_root(now[x])
        return moved / (before * before + before * after + after * after)
    if node.operation == "exp":
        larger, less = exp(floored(now[x], at_rest(x))), exp_less_one(-floored(moved, -moved))
        return select(moved, -(larger * less), larger * less)
    assert node.operation == "log"
    return log_of_one_more(moved / at_rest(x))
