"""Coulomb and exact exchange of a change of the density, from vectors of three indices.

    J = Σ_Q L_Q Tr L_Q Re δP,   K = Σ_k w_k Σ_Q h_Qk h_Qk†,   h_Qk = L_Q u_k,   δP = Σ_k w_k u_k u_k†

in single precision, with L between orthonormal orbitals: between functions of a nearly dependent basis single
precision fails. A change of a determinant has few u_k, and most of these move next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pyscf import lib

from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.working_basis import WorkingBasis
from ..matrices.symmetric_pairs import pack_symmetric, unpack_symmetric
from .cholesky_vectors import VECTORS, cholesky_vectors

#: Eigenvalues of the exchange operator between products of orbitals that are left out, Hartree.
LEFT_OUT = 1e-4
#: Those above which are most of it: the rest is 1e-3 to 3e-3 of the response.
LEADING = 5e-3
#: Share of the memory that the vectors may take while they are made.
SHARE = 1 / 4
#: u_k of less |w_k| over the largest are left out.
STILL = 1e-5
#: Vectors of three indices at once.
_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class ExchangeVectors:
    """Some L of the exchange operator with its shares.

    sign: what their squares count, 1 or -1. block: (m, some, m). leads: whether they are most of it.
    """

    sign: float
    block: np.ndarray
    leads: bool


@dataclass(frozen=True, eq=False)
class FactoredMeanField:
    """Implements `MeanFieldMap` (`../on_the_fly/functional_response`).

    coulomb_vectors: L (q, m (m + 1) / 2), packed.
    exchange_vectors: some at a time.
    turns: from each spin's orbitals to the first's, (n_spin, m, m); None: they are the same.
    """

    coulomb_vectors: np.ndarray
    exchange_vectors: tuple[ExchangeVectors, ...]
    turns: np.ndarray | None

    def coulomb(self, changes: np.ndarray) -> np.ndarray:
        """J[Re δP] of both spins, real, of changes of P', both (k, n_spin, m, m), Hartree.

        Cost: 2 q m² k single-precision flops.
        """
        inside = np.real(self._turned(changes)).sum(axis=1)
        vectors = self.coulomb_vectors
        images = (pack_symmetric(inside).astype(np.float32) @ vectors.T) @ vectors
        J = unpack_symmetric(images.astype(float), inside.shape[-1])
        return self._turned_back(np.broadcast_to(J[:, None], changes.shape))

    def total(self, changes: np.ndarray) -> np.ndarray:
        """The same with exact exchange, complex.

        Cost: 8 q m² r single-precision flops a change and spin, r of whose u_k are not still.
        """
        return self._with_exchange(changes, self.exchange_vectors, None)

    def nearly(self, changes: np.ndarray, still: float) -> np.ndarray:
        """The same to 3e-3; still: |w_k| up to which u_k are left out."""
        return self._with_exchange(changes, tuple(v for v in self.exchange_vectors if v.leads), still)

    def _with_exchange(
        self, changes: np.ndarray, vectors: tuple[ExchangeVectors, ...], still: float | None
    ) -> np.ndarray:
        response = self.coulomb(changes).astype(complex)
        if not vectors:
            return response
        factor = -0.5 if changes.shape[1] == 1 else -1.0
        inside = self._turned(changes)
        K = np.array([[_exchange(vectors, each, still) for each in spins] for spins in inside])
        return response + factor * self._turned_back(K)

    def _turned(self, changes: np.ndarray) -> np.ndarray:
        return changes if self.turns is None else self.turns @ changes @ self.turns.swapaxes(1, 2)

    def _turned_back(self, matrices: np.ndarray) -> np.ndarray:
        return matrices if self.turns is None else self.turns.swapaxes(1, 2) @ matrices @ self.turns


def _exchange(vectors: tuple[ExchangeVectors, ...], change: np.ndarray, still: float | None) -> np.ndarray:
    """K (m, m) of one Hermitian change; still: by default `STILL` of the largest |w_k|."""
    weights, turns = np.linalg.eigh(change)
    sizes = np.abs(weights)
    moved = sizes > (STILL * sizes.max(initial=0.0) if still is None else still)
    scaled = turns * np.sqrt(sizes)
    real, imaginary = np.zeros((2, *change.shape), np.float32)
    for sign in (1.0, -1.0):
        columns = scaled[:, moved & (sign * weights > 0.0)]
        parts = np.hstack([np.real(columns), np.imag(columns)]).astype(np.float32)
        for some in vectors if columns.shape[1] else ():
            m, q, _ = some.block.shape
            both = (some.block.reshape(m * q, m) @ parts).reshape(m, q, 2, -1)
            whole = both.reshape(m, -1)
            h, g = (np.ascontiguousarray(both[:, :, part]).reshape(m, -1) for part in (0, 1))
            real += np.float32(sign * some.sign) * (whole @ whole.T)
            imaginary += np.float32(sign * some.sign) * (g @ h.T)
    return real.astype(float) + 1j * (imaginary - imaginary.T).astype(float)


def fits_factors(engine: PySCFEngine, memory: float) -> bool:
    """Whether the vectors fit; memory: bytes that the whole run may take."""
    n = engine.mol.nao
    sets = 1 + (2 if engine.two_electron.operator.attenuated else 1)
    return 8.0 * VECTORS * n * (n * (n + 1) // 2) * sets <= SHARE * memory


def factored_mean_field(engine: PySCFEngine, basis: WorkingBasis) -> FactoredMeanField:
    """Of the engine's own operators: its fitting of J, where it has one."""
    integrals, orbitals = engine.two_electron, basis.coefficients[0]
    operator, fitting = integrals.operator, integrals.fitting
    whole = None
    if fitting is None or operator.full:
        whole = _packed(cholesky_vectors(engine.mol), orbitals)
    coulomb = whole if fitting is None else _packed(map(np.asarray, fitting.loop()), orbitals)
    assert coulomb is not None
    parts = [] if whole is None else [(operator.full, whole)]
    if operator.attenuated:
        attenuated = cholesky_vectors(engine.mol, operator.omega)
        parts.append((operator.attenuated, _packed(attenuated, orbitals)))
    exchange = tuple(_exchange_vectors(parts, orbitals.shape[1]))
    turns = None if len(basis.dual) == 1 else basis.dual[0] @ basis.coefficients
    return FactoredMeanField(coulomb.astype(np.float32), exchange, turns)


def _packed(parts: Iterator[np.ndarray] | list[np.ndarray], orbitals: np.ndarray) -> np.ndarray:
    """L between orbitals (n, m), packed, of L between functions, (some, n (n + 1) / 2) each."""
    found = []
    for part in parts:
        for first in range(0, len(part), _AT_ONCE):
            square = np.asarray(lib.unpack_tril(part[first : first + _AT_ONCE]))
            found.append(pack_symmetric(orbitals.T @ square @ orbitals))
    return np.concatenate(found)


def _exchange_vectors(parts: list[tuple[float, np.ndarray]], m: int) -> Iterator[ExchangeVectors]:
    """The fewest vectors of Σ share L L, of shares of one sign together."""
    for sign in (1.0, -1.0):
        own = [(np.sqrt(abs(share)), vectors) for share, vectors in parts if sign * share > 0.0]
        if not own:
            continue
        stacked = np.concatenate([vectors for _, vectors in own])
        ends = np.cumsum([0, *(len(vectors) for _, vectors in own)])
        for (scale, _), first, last in zip(own, ends, ends[1:], strict=False):
            stacked[first:last] *= scale
        sizes, turns = np.linalg.eigh(stacked @ stacked.T)
        for leads, kept in ((True, sizes > LEADING), (False, (sizes > LEFT_OUT) & (sizes <= LEADING))):
            turn = turns[:, kept]
            for first in range(0, turn.shape[1], _AT_ONCE):
                some = unpack_symmetric(turn[:, first : first + _AT_ONCE].T @ stacked, m)
                block = np.ascontiguousarray(some.transpose(1, 0, 2), np.float32)
                yield ExchangeVectors(sign, block, leads)
