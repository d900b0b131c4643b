"""The graph of a run's own steps: NWChem's number of corrections, and what anchors taught.

Behind the second correction a Loop goes on, up to NWChem's 200, as long as a trajectory of the batch has not
converged; the others stay as they are. Points, Coulomb and exchange are constants; what was learned beside
them is an input (`../rollout/learned_rows`), and so is the field.
"""

import numpy as np
import onnx
from onnx import helper

from ..rollout.fock_matrix import field_matrix
from ..rollout.learned_rows import RowNames
from ..rollout.magnus_step import StateNames, corrected, extrapolated
from ..rollout.molecule import RolloutMatrices
from ..rollout.nodes import IR_VERSION, OPSET, Nodes, tensor

#: NWChem gives up after as many corrections, and compares from the second one on.
MOST_CORRECTIONS = 200
STATE = ("orbitals", "fock", "fock_half")
ROWS = RowNames()
#: Stands for a comparison that was not made.
NOT_MADE = -1.0


def run_graph(
    molecule: RolloutMatrices, dt: float, tolerance: float, to_canonical: np.ndarray
) -> onnx.ModelProto:
    """Inputs: a state, amplitudes (time, batch, f), rows. Outputs: states of all steps, changes of the norm.

    to_canonical: (m, m), from the molecule's basis to NWChem's, whose largest |P_ij| is the norm. changes:
    (time, batch, 199, n_spin), `NOT_MADE` behind the last. Raises TooLong.
    """
    body = Nodes("body_")
    now = StateNames(*(f"{name}_now" for name in STATE))
    later, changes = _step(body, molecule, dt, now, (tolerance, to_canonical))
    names = (later.orbitals, later.fock, later.fock_half)
    # A state is what the next step starts from, and a result of its own.
    results = {
        body("Identity", name): info for name, info in zip(names, _state(molecule, "", "_l"), strict=True)
    }
    results |= dict(zip(names, _state(molecule, "", "_s"), strict=True))
    n_spin = len(molecule.fock)
    results[changes] = tensor("changes_s", "batch", MOST_CORRECTIONS - 1, n_spin)
    n_fields = len(molecule.field)
    inside = [*_state(molecule, "", "_now"), tensor("amplitudes_now", "batch", n_fields)]
    graph = body.graph("step", inside, results, own_constants=False)
    last = [f"last_{name}" for name in STATE]
    every = [*STATE, "changes"]
    scan = helper.make_node(
        "Scan",
        [*STATE, "amplitudes"],
        [*last, *(f"{name}_of_steps" for name in every)],
        body=graph,
        num_scan_inputs=1,
    )
    size = 2 * molecule.fock.size
    rows = [tensor(ROWS.changes, "batch", "rows", size), tensor(ROWS.images, "batch", "rows", size)]
    given = [*_state(molecule), tensor("amplitudes", "time", "batch", n_fields)]
    given += [*rows, tensor(ROWS.orders, "batch", "rows", 3)]
    made = [_of_steps(info) for info in _state(molecule)]
    made.append(tensor("changes_of_steps", "time", "batch", MOST_CORRECTIONS - 1, n_spin))
    whole = helper.make_graph([scan], "run", given, made, list(body.constants.values()))
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _state(molecule: RolloutMatrices, lead: str = "", end: str = "") -> list[onnx.ValueInfoProto]:
    n_spin, m, k = molecule.orbitals.shape
    shapes = ((n_spin, k, 2 * m), (n_spin, 2, m, m), (n_spin, 2, m, m))
    return [tensor(lead + name + end, "batch", *shape) for name, shape in zip(STATE, shapes, strict=True)]


def _of_steps(info: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    shape = [d.dim_value or d.dim_param for d in info.type.tensor_type.shape.dim]
    return tensor(f"{info.name}_of_steps", "time", *shape)


def _step(
    nodes: Nodes, molecule: RolloutMatrices, dt: float, state: StateNames, until: tuple[float, np.ndarray]
) -> tuple[StateNames, str]:
    """The state a step later, and changes of the norm. until: tolerance, and to NWChem's basis."""
    tolerance, to_canonical = until
    acting = field_matrix(nodes, molecule, "amplitudes_now")
    orbitals = extrapolated(nodes, molecule, dt, state)
    first = corrected(nodes, molecule, dt, state, (orbitals, acting), ROWS)
    second = corrected(nodes, molecule, dt, state, (first.orbitals, acting), ROWS)
    norms = [_norm(nodes, molecule, to_canonical, one.orbitals) for one in (first, second)]
    change = nodes("Abs", nodes("Sub", norms[1], norms[0]))
    body = nodes.inner("loop_")
    names = StateNames("orbitals_c", "fock_c", "fock_half_c")
    # Those that have not converged: their states go on.
    is_open = _is_open(body, "change_c", tolerance)
    made = corrected(body, molecule, dt, state, (names.orbitals, acting), ROWS)
    kept = StateNames(
        *(
            body("Where", body.reshape(is_open, -1, *[1] * (rank - 1)), new, old)
            for new, old, rank in (
                (made.orbitals, names.orbitals, 4),
                (made.fock, names.fock, 5),
                (made.fock_half, names.fock_half, 5),
            )
        )
    )
    norm = _norm(body, molecule, to_canonical, kept.orbitals)
    found = body("Abs", body("Sub", norm, "norm_c"))
    shown = body("Where", body.reshape(is_open, -1, 1), found, body.constant(NOT_MADE))
    graph = _loop_body(body, molecule, tolerance, (kept, norm, shown))
    open_now = _any(nodes, _is_open(nodes, change, tolerance))
    results = nodes.several(
        "Loop",
        6,
        nodes.whole_scalar(MOST_CORRECTIONS - 2),
        open_now,
        *(second.orbitals, second.fock, second.fock_half, norms[1], change),
        body=graph,
    )
    later, more = StateNames(*results[:3]), results[5]
    return later, _filled(nodes, change, more)


def _loop_body(
    body: Nodes, molecule: RolloutMatrices, tolerance: float, made: tuple[StateNames, str, str]
) -> onnx.GraphProto:
    kept, norm, change = made
    n_spin = len(molecule.fock)
    goes_on = _any(body, _is_open(body, change, tolerance))
    state = (kept.orbitals, kept.fock, kept.fock_half)
    results = {goes_on: helper.make_tensor_value_info("goes_on", onnx.TensorProto.BOOL, [])}
    results |= dict(zip(state, _state(molecule, "", "_o"), strict=True))
    results |= {norm: tensor("norm_o", "batch", n_spin), change: tensor("change_o", "batch", n_spin)}
    results[body("Identity", change)] = tensor("change_s", "batch", n_spin)
    given = [
        helper.make_tensor_value_info("trip", onnx.TensorProto.INT64, []),
        helper.make_tensor_value_info("open_c", onnx.TensorProto.BOOL, []),
        *_state(molecule, "", "_c"),
        tensor("norm_c", "batch", n_spin),
        tensor("change_c", "batch", n_spin),
    ]
    return body.graph("correction", given, results, own_constants=False)


def _is_open(nodes: Nodes, change: str, tolerance: float) -> str:
    """Whether a change (batch, n_spin) is above the tolerance, (batch,); what is no number is not."""
    largest = nodes("ReduceMax", change, nodes.whole(1), keepdims=0)
    return nodes("Greater", largest, nodes.constant(tolerance))


def _any(nodes: Nodes, which: str) -> str:
    """A truth value, without axes, of some (batch,)."""
    number = nodes("ReduceMax", nodes("Cast", which, to=int(onnx.TensorProto.INT64)), keepdims=0)
    return nodes("Cast", number, to=int(onnx.TensorProto.BOOL))


def _norm(nodes: Nodes, molecule: RolloutMatrices, to_canonical: np.ndarray, orbitals: str) -> str:
    """max_i Σ_k n_k |(T Y)_ik|², (batch, n_spin)."""
    n_spin, m, k = molecule.orbitals.shape
    roots = np.sqrt(np.maximum(molecule.occupations, 0.0)).reshape(1, n_spin, k, 1)
    rows = nodes.reshape(nodes("Mul", orbitals, nodes.constant(roots)), 0, n_spin, 2 * k, m)
    there = nodes("MatMul", rows, nodes.constant(to_canonical.T))
    diagonal = nodes.total(nodes("Mul", there, there), 2, keep=False)
    return nodes("ReduceMax", diagonal, nodes.whole(2), keepdims=0)


def _filled(nodes: Nodes, change: str, more: str) -> str:
    """Changes (batch, 199, n_spin): of the second correction, of later ones (n, batch, n_spin), fillers."""
    first = nodes("Unsqueeze", change, nodes.whole(0))
    filler = nodes("Mul", first, nodes.constant(0.0))
    filler = nodes("Add", filler, nodes.constant(NOT_MADE))
    shape = nodes("Concat", nodes.whole(MOST_CORRECTIONS - 1), nodes("Shape", change), axis=0)
    whole = nodes("Concat", first, more, nodes("Expand", filler, shape), axis=0)
    cut = nodes("Slice", whole, nodes.whole(0), nodes.whole(MOST_CORRECTIONS - 1), nodes.whole(0))
    return nodes("Transpose", cut, perm=[1, 0, 2])
