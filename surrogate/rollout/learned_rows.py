"""What is learned beside a molecule's own matrices, as inputs of a graph: `LearnedRows`."""

from dataclasses import dataclass

import numpy as np

from ..whole_steps import LearnedRows
from .nodes import Nodes


@dataclass(frozen=True)
class RowNames:
    """Names of rows as inputs of a graph.

    changes, images: (batch, n, 2d), real parts, then imaginary ones, d = n_spin m². orders: (batch, n, 3).
    """

    changes: str = "row_changes"
    images: str = "row_images"
    orders: str = "row_orders"


def image_of(
    nodes: Nodes, rows: RowNames, change: tuple[str, str], shape: tuple[int, ...]
) -> tuple[str, str]:
    """L, real and imaginary part, of a change's. shape: (n_spin, m, m)."""
    size = int(np.prod(shape))
    flat = nodes("Concat", *(nodes.reshape(part, 0, size, 1) for part in change), axis=1)
    t = nodes("MatMul", rows.changes, flat)
    a, b, c = nodes.split(rows.orders, 2, 1, 1, 1)
    inner = nodes("Add", b, nodes("Mul", t, c))
    weights = nodes("Mul", t, nodes("Add", a, nodes("Mul", t, inner)))
    image = nodes("MatMul", nodes("Transpose", weights, perm=[0, 2, 1]), rows.images)
    real, imaginary = nodes.split(image, 2, size, size)
    return nodes.reshape(real, -1, *shape), nodes.reshape(imaginary, -1, *shape)


def joined(parts: list[LearnedRows], shape: tuple[int, ...]) -> LearnedRows:
    """All rows of some; one of zeros where there is none, since a graph takes no empty input."""
    parts = [part for part in parts if len(part.orders)]
    if not parts:
        return LearnedRows(np.zeros((1, *shape)), np.zeros((1, *shape)), np.zeros((1, 3)))
    return LearnedRows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("changes", "images", "orders"))
    )
