"""The linear read-out of the density network, solved in closed form from converged Fock matrices.

Target: S^(-1/2) (F − F_atoms) S^(-1/2), F_atoms that of superposed atomic potentials. Löwdin's basis because
there F depends least on the geometry; the difference because what superposed potentials know need not be
learned. Löwdin's orthonormalisation turns with the molecule, so the target is as equivariant as F.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from e3nn import o3
from pyscf import gto

from ..matrices.atom_pairs import atom_pairs
from ..network.density_network import DensityNetwork
from ..starting_density.atomic_potentials import atomic_potential_fock
from ..starting_density.blocks import (
    BlockCoupling,
    BlockGroup,
    Couplings,
    Layout,
    block_coupling,
    block_groups,
    coupled,
    layout,
)
from ..starting_density.weights import BlockKind, named_features
from .density_samples import GroundStateSamples

#: Features are of order one; smaller ones than this are not scaled up to it.
_SMALLEST = 1e-3


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n geometries of a molecule by irrep, (n, rows, features, 2L+1); its pairs (2, n_pairs)."""

    pairs: np.ndarray
    of_pairs: dict[str, np.ndarray]
    of_atoms: dict[str, np.ndarray]


def couplings() -> Couplings:
    """e3nn's real 3j symbols for shells up to d, orthonormal in L."""
    degrees = range(3)
    return {
        (a, b, total): o3.wigner_3j(a, b, total, dtype=torch.float64).numpy() * np.sqrt(2 * total + 1)
        for a in degrees
        for b in degrees
        for total in range(abs(a - b), a + b + 1)
    }


def features(network: DensityNetwork, numbers: np.ndarray, positions: np.ndarray) -> Features:
    """Features of geometries (n, n_atoms, 3), bohr, of one molecule, in the network's precision."""
    n, n_atoms = positions.shape[:2]
    all_pairs = atom_pairs(np.full(n, n_atoms))
    precision = next(network.parameters()).dtype
    with torch.no_grad():
        outputs = network(
            torch.tensor(np.tile(numbers, n), dtype=torch.long),
            torch.tensor(positions.reshape(-1, 3), dtype=precision),
            torch.tensor(all_pairs),
        )
    of_pairs, of_atoms = named_features([f.numpy() for f in outputs], all_pairs)
    return Features(
        all_pairs[:, : n_atoms * (n_atoms - 1)],
        {k: v.reshape(n, -1, *v.shape[1:]) for k, v in of_pairs.items()},
        {k: v.reshape(n, -1, *v.shape[1:]) for k, v in of_atoms.items()},
    )


def target(ground: GroundStateSamples, basis: str) -> tuple[np.ndarray, Layout]:
    """S^(-1/2) (F − F_atoms) S^(-1/2) of all geometries (n, n_basis, n_basis), and the layout."""
    atomic, places = [], None
    for positions in ground.positions:
        atoms = list(zip(ground.atomic_numbers.tolist(), positions.tolist(), strict=True))
        mole = gto.M(atom=atoms, unit="Bohr", basis=basis, verbose=0)
        places = places or layout(mole)
        atomic.append(atomic_potential_fock(mole))
    assert places is not None
    values, vectors = np.linalg.eigh(ground.overlap)
    inverse = (vectors / np.sqrt(values)[:, None, :]) @ vectors.swapaxes(1, 2)
    return inverse @ (ground.fock - np.array(atomic)) @ inverse, places


def kind_of(group: BlockGroup) -> BlockKind:
    """Which weights a group of blocks uses."""
    return (*group.elements, group.on_site)


def coupling_of(group: BlockGroup, numbers: np.ndarray, places: Layout, known: Couplings) -> BlockCoupling:
    """Coupling of a group's blocks."""
    shells = [places.shells[int(np.flatnonzero(numbers == z)[0])] for z in group.elements]
    return block_coupling(shells[0], shells[1], group.elements[0] == group.elements[1], known)


def solve_readout(
    molecules: list[tuple[np.ndarray, Features, np.ndarray, Layout]], ridge: float
) -> dict[BlockKind, dict[str, np.ndarray]]:
    """Weights by kind of block and irrep, from (atomic numbers, features, target, layout) of molecules.

    ridge: relative to the mean square of the features, each scaled to one.
    """
    known = couplings()
    rows: dict[tuple[BlockKind, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    for numbers, found, matrices, places in molecules:
        for group in block_groups(numbers, found.pairs, places):
            coupling = coupling_of(group, numbers, places, known)
            # (geometries, blocks, i, j) and features of the same blocks, as rows.
            blocks = matrices[:, group.left[:, :, None], group.right[:, None, :]]
            wanted = coupled(blocks.reshape(-1, *blocks.shape[2:]), coupling)
            known_features = found.of_atoms if group.on_site else found.of_pairs
            for name, T in wanted.items():
                X = known_features[name][:, group.rows]
                equations = _rows(X.reshape(-1, *X.shape[2:])), _rows(T)
                rows.setdefault((kind_of(group), name), []).append(equations)
    weights: dict[BlockKind, dict[str, np.ndarray]] = {}
    for (kind, name), parts in rows.items():
        X, T = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        weights.setdefault(kind, {})[name] = ridge_solution(X, T, ridge)
    return weights


def _rows(values: np.ndarray) -> np.ndarray:
    """(rows, k, 2L+1) to (rows (2L+1), k): components are equations of their own with the same weights."""
    return values.swapaxes(1, 2).reshape(-1, values.shape[1])


def ridge_solution(X: np.ndarray, T: np.ndarray, ridge: float) -> np.ndarray:
    """argmin ‖X W − T‖² + ridge · mean square · ‖W‖² with columns of X scaled to one, by the smaller side."""
    # Features that symmetry makes zero (axial ones in linear molecules) hold rounding only: not to be fitted.
    scale = np.maximum(np.sqrt(np.mean(X**2, axis=0)), _SMALLEST)
    A = X / scale
    wide = len(A) <= A.shape[1]
    gram = A @ A.T if wide else A.T @ A
    gram += ridge * np.mean(np.diag(gram)) * np.eye(len(gram))
    solution = A.T @ np.linalg.solve(gram, T) if wide else np.linalg.solve(gram, A.T @ T)
    return solution / scale[:, None]
