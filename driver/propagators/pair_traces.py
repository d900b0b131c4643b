"""Sums over elements of P' at points of weak motion, to second order, from η alone.

    P'_ai = n η_ai,   P'_ab = n (ηη†)_ab,   P'_ij = n (1 - η†η)_ij

so that with T between pairs, M_ab δ_ij - δ_ab M_ij, which has few elements where M keeps the irreps apart,

    Σ M Re P' = n [Tr M_oo + 2 Σ M_ai Re η_ai + Re η† T η],            M symmetric
    Σ M Im P' = 2 n [Σ M_ai Im η_ai + (Im η)ᵀ T Re η],                 M antisymmetric
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

#: Elements of M below this share of the largest are none.
_NONE = 1e-13
#: Elements of T a pair up to which these sums take less time than densities do; and times s² over those of
#: densities, where T is full.
MOST_ELEMENTS, MOST_FULL = 32, 2


@dataclass(frozen=True, eq=False)
class PairTrace:
    """constant + linear · η + ηᵀ square η: of real and of imaginary η, or of both with each other.

    linear: (s,). square: (s, s), of the s pairs of a spin; full where it has many elements.
    """

    imaginary: bool
    constant: float
    linear: np.ndarray
    square: sparse.csr_array | np.ndarray

    @property
    def has_square(self) -> bool:
        """Whether T has any elements."""
        return isinstance(self.square, np.ndarray) or self.square.nnz > 0

    def __call__(self, real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
        """(k,) of the parts (s, k) of η."""
        if self.imaginary:
            found, factors = self.linear @ imaginary, [(imaginary, real)]
        else:
            found, factors = self.linear @ real, [(real, real), (imaginary, imaginary)]
        found += self.constant
        for left, right in factors if self.has_square else ():
            found += np.einsum("dk,dk->k", left, self.square @ right)
        return found


@dataclass(frozen=True, eq=False)
class Places:
    """Orbitals of a spin, and its pairs among them.

    filled, free: numbers of orbitals. own: (d,) bool, which of all pairs are this spin's; flat: (s,), where
    they stand among all of (free, filled). still: η of the others, real, (free, filled). filling: n.
    """

    filled: np.ndarray
    free: np.ndarray
    own: np.ndarray
    flat: np.ndarray
    still: np.ndarray
    filling: float

    def matrices(self, eta: np.ndarray) -> np.ndarray:
        """η (k, d) of all spins as matrices (k, free, filled) of this one."""
        found = np.empty((len(eta), self.still.size), complex)
        found[:] = self.still.ravel()
        found[:, self.flat] = eta[:, self.own]
        return found.reshape(len(eta), *self.still.shape)

    def trace(self, matrix: np.ndarray, *, imaginary: bool) -> PairTrace | None:
        """Of M (m, m); imaginary: of Im P', M being antisymmetric. None where T has too many elements."""
        kept = np.where(np.abs(matrix) > _NONE * np.abs(matrix).max(initial=0.0), matrix, 0.0)
        empty, full = (sparse.csr_array(kept[np.ix_(part, part)]) for part in (self.free, self.filled))
        v, o = self.still.shape
        few = empty.nnz * o + full.nnz * v <= MOST_ELEMENTS * v * o
        if not few and len(self.flat) ** 2 > MOST_FULL * v * o * (v + o):
            return None
        between, still = kept[np.ix_(self.free, self.filled)].ravel(), self.still.ravel()
        turned = (empty @ self.still - self.still @ full).ravel()
        n = 2.0 * self.filling if imaginary else self.filling
        linear = between + turned if imaginary else 2.0 * (between + turned)
        constant = 0.0 if imaginary else float(full.trace() + still @ (2.0 * between + turned))
        square = self._few(empty, full) if few else self._all(empty.toarray(), full.toarray())
        return PairTrace(imaginary, n * constant, n * linear[self.flat], n * square)

    def _few(self, empty: sparse.csr_array, full: sparse.csr_array) -> sparse.csr_array:
        v, o = self.still.shape
        # Rows and columns: (a, i).
        square = sparse.csr_array(
            sparse.kron(empty, sparse.eye_array(o)) - sparse.kron(sparse.eye_array(v), full.T)
        )
        return square[self.flat][:, self.flat].tocsr()

    def _all(self, empty: np.ndarray, full: np.ndarray) -> np.ndarray:
        a, i = np.divmod(self.flat, self.still.shape[1])
        moved = empty[np.ix_(a, a)] * np.equal.outer(i, i)
        return moved - full.T[np.ix_(i, i)] * np.equal.outer(a, a)

    def parts(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Real and imaginary η (s, k) of all pairs' η (k, d)."""
        real, imaginary = (np.ascontiguousarray(part[:, self.own].T) for part in (np.real(eta), np.imag(eta)))
        return real, imaginary
