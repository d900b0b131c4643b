"""A linear map that keeps irreps apart: a direct sum of maps, one a block of the coordinates.

A symmetric response does not connect density changes of different irreps. Kept apart, a direction costs the
length of its block, an eighth of the whole in D2h, and one image serves one direction of every block: the
image of their sum falls apart into theirs.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .directions import Directions, scaled_product

#: Up to this length one block-diagonal matrix is cheaper than one product a block: it stays in the cache.
SMALL = 256


class DirectSum:
    """One `Directions` for every block of a vector (d,)."""

    def __init__(self, blocks: Sequence[slice]) -> None:
        self.blocks = tuple(blocks)
        self.maps = tuple(Directions(block.stop - block.start) for block in blocks)
        self.d = blocks[-1].stop if blocks else 0
        self._whole: np.ndarray | None = None
        self._whole_of: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        """Directions of all blocks."""
        return sum(part.n for part in self.maps)

    @property
    def n_exact(self) -> int:
        """Those with exact images."""
        return sum(part.n_exact for part in self.maps)

    def split(self, x: np.ndarray) -> list[np.ndarray]:
        """The blocks of x (..., d), views."""
        return [x[..., block] for block in self.blocks]

    def join(self, parts: Sequence[np.ndarray | None]) -> np.ndarray:
        """A vector (d,) of its blocks; None for a block of zeros."""
        x = np.zeros(self.d)
        for block, part in zip(self.blocks, parts, strict=True):
            if part is not None:
                x[block] = part
        return x

    def apply(self, x: np.ndarray) -> np.ndarray:
        """K Qᵀ x, (d,), single precision."""
        if 0 < self.d <= SMALL and len(self.maps) > 1:
            return scaled_product(self._block_diagonal(), x)
        response = np.zeros(self.d)
        for block, part in zip(self.blocks, self.maps, strict=True):
            if part.n:
                response[block] = part.apply(x[block])
        return response

    def coordinates(self, x: np.ndarray) -> list[np.ndarray]:
        """Qᵀ x of every block."""
        return [part.q @ inside for part, inside in zip(self.maps, self.split(x), strict=True)]

    def outside_squared(self, x: np.ndarray, coordinates: Sequence[np.ndarray]) -> np.ndarray:
        """|x - Q Qᵀ x|² of every block, (n_blocks,).

        |x|² - |c|² loses to rounding what is below 1e-8 |x|.
        """
        parts = zip(self.split(x), coordinates, strict=True)
        return np.array([max(float(inside @ inside - c @ c), 0.0) for inside, c in parts])

    def visit(self, coordinates: Sequence[np.ndarray]) -> None:
        """Count one visited change in the second moments."""
        for part, c in zip(self.maps, coordinates, strict=True):
            if part.n_approximate:
                part.visit(c)

    def approximate_norm(self, coordinates: Sequence[np.ndarray]) -> float:
        """|c_j |K_j|| over the approximate directions j."""
        parts = zip(self.maps, coordinates, strict=True)
        sizes = [c[part.n_exact :] * part.approximate_size for part, c in parts if part.n_approximate]
        return float(np.sqrt(sum(size @ size for size in sizes)))

    def energy(self, x: np.ndarray, images: str) -> np.ndarray:
        """x·K Qᵀ x, or x·J Qᵀ x, of changes (k, d), double precision: (k,)."""
        total = np.zeros(len(x))
        for inside, part in zip(self.split(x), self.maps, strict=True):
            if part.n:
                total += np.vecdot((inside @ part.q.T) @ (part.j if images == "j" else part.k), inside)
        return total

    def _block_diagonal(self) -> np.ndarray:
        """K Qᵀ of all blocks, (d, d), single precision."""
        versions = tuple(part.version for part in self.maps)
        if self._whole is None or versions != self._whole_of:
            whole = np.zeros((self.d, self.d), np.float32)
            for block, part in zip(self.blocks, self.maps, strict=True):
                whole[block, block] = part.k.T @ part.q
            self._whole, self._whole_of = whole, versions
        return self._whole

    def save(self, name: str) -> dict[str, np.ndarray]:
        """Arrays that `load` takes back."""
        return {
            key: array for k, part in enumerate(self.maps) for key, array in part.save(f"{name}{k}").items()
        }

    def load(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved under `name`."""
        for k, part in enumerate(self.maps):
            part.load(f"{name}{k}", arrays)
