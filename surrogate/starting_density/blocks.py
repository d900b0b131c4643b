"""Matrices of a molecule as coefficients of irreps, block by block: what equivariant networks predict.

A block between the shells of two atoms is a product of irreps; each pair of shells (l₁, l₂) of it falls apart
into L = |l₁ − l₂| … l₁ + l₂ by Clebsch–Gordan coupling (Wigner–Eckart). Functions of a shell are taken in the
order m = −l … l of the real harmonics; e3nn's harmonics of a position have it if its axes are (y, z, x).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyscf.gto import Mole

#: Real 3j symbols times √(2L+1) by (l₁, l₂, L), each (2l₁+1, 2l₂+1, 2L+1).
Couplings = Mapping[tuple[int, int, int], np.ndarray]
#: Coefficients by irrep (`1o`), (rows, coefficients, 2L+1).
Coefficients = dict[str, np.ndarray]
#: Irreps that products of s, p and d shells hold.
IRREPS = ("0e", "1o", "2e", "1e", "2o", "3o", "3e", "4e")
#: A position's axes as e3nn must be given them, so that its harmonics are those of the shells.
AXES = (1, 2, 0)


@dataclass(frozen=True)
class Layout:
    """Where the shells of a molecule's atoms lie.

    order: (n_basis,) functions in the order atom, shell, m, as places in PySCF's order.
    starts: (n_atoms + 1,) first function of each atom. shells: angular momenta of each atom's shells.
    """

    order: np.ndarray
    starts: np.ndarray
    shells: tuple[tuple[int, ...], ...]


def layout(mole: Mole) -> Layout:
    """Layout of a molecule with spherical functions. Raises ValueError above d shells."""
    order: list[int] = []
    shells: list[list[int]] = [[] for _ in range(mole.natm)]
    for shell in range(mole.nbas):
        momentum = int(mole.bas_angular(shell))
        if momentum > 2:
            raise ValueError(f"shells up to d are known, not l = {momentum}")
        for _ in range(mole.bas_nctr(shell)):
            first = len(order)
            shells[mole.bas_atom(shell)].append(momentum)
            # PySCF's p functions are x, y, z: m = −1 is y, 0 is z, 1 is x.
            within = AXES if momentum == 1 else range(2 * momentum + 1)
            order += [first + m for m in within]
    sizes = [sum(2 * momentum + 1 for momentum in atom) for atom in shells]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    return Layout(np.array(order), starts, tuple(tuple(atom) for atom in shells))


@dataclass(frozen=True, eq=False)
class BlockCoupling:
    """Coupling of all pairs of shells of two elements.

    couple: by irrep, (coefficients, 2L+1, n_left, n_right), orthonormal; of one element with itself only
    pairs (a, b) with a ≤ b: the others follow by symmetry.
    share: the same with a = b counted half, so that a symmetric matrix is U + Uᵀ of the decoupled U.
    """

    couple: dict[str, np.ndarray]
    share: dict[str, np.ndarray]


def block_coupling(
    left: tuple[int, ...], right: tuple[int, ...], same: bool, couplings: Couplings
) -> BlockCoupling:
    """Coupling of blocks between atoms with these shells; `same`: both are one element."""
    sizes = [[2 * momentum + 1 for momentum in shells] for shells in (left, right)]
    firsts = [np.cumsum([0, *size]) for size in sizes]
    full: dict[str, list[np.ndarray]] = {}
    half: dict[str, list[np.ndarray]] = {}
    for a, la in enumerate(left):
        for b, lb in enumerate(right):
            if same and a > b:
                continue
            for L in range(abs(la - lb), la + lb + 1):
                block = np.zeros((2 * L + 1, firsts[0][-1], firsts[1][-1]))
                rows, columns = (slice(f[k], f[k + 1]) for f, k in zip(firsts, (a, b), strict=True))
                block[:, rows, columns] = np.moveaxis(couplings[la, lb, L], -1, 0)
                name = f"{L}{'eo'[(la + lb) % 2]}"
                full.setdefault(name, []).append(block)
                half.setdefault(name, []).append(block * (0.5 if same and a == b else 1.0))
    return BlockCoupling(
        {name: np.array(v) for name, v in full.items()}, {name: np.array(v) for name, v in half.items()}
    )


def coupled(blocks: np.ndarray, coupling: BlockCoupling) -> Coefficients:
    """Blocks (rows, n_left, n_right) to coefficients."""
    return {name: np.einsum("rij,cmij->rcm", blocks, C) for name, C in coupling.couple.items()}


def decoupled(coefficients: Coefficients, coupling: BlockCoupling) -> np.ndarray:
    """Coefficients to the blocks U (rows, n_left, n_right) whose U + Uᵀ is the symmetric matrix."""
    return sum(
        (np.einsum("rcm,cmij->rij", coefficients[name], C) for name, C in coupling.share.items()),
        start=np.zeros(()),
    )


@dataclass(frozen=True, eq=False)
class BlockGroup:
    """Blocks of one kind in a molecule: of atoms (`on_site`) of an element, or of ordered pairs of two.

    elements: atomic numbers, ascending. rows: which atoms, or which of the pairs given.
    left, right: (rows, n_left), (rows, n_right) places of the functions in the matrix, PySCF's order.
    """

    elements: tuple[int, int]
    on_site: bool
    rows: np.ndarray
    left: np.ndarray
    right: np.ndarray


def block_groups(numbers: np.ndarray, pairs: np.ndarray, places: Layout) -> list[BlockGroup]:
    """All blocks of a symmetric matrix, without those that follow by symmetry.

    numbers: (n_atoms,); pairs: (2, n_pairs) ordered pairs of different atoms.
    """

    def functions(atoms: np.ndarray) -> np.ndarray:
        size = int(places.starts[atoms[0] + 1] - places.starts[atoms[0]])
        return places.order[places.starts[atoms][:, None] + np.arange(size)]

    groups = []
    for element in np.unique(numbers):
        atoms = np.flatnonzero(numbers == element)
        rows = functions(atoms)
        groups.append(BlockGroup((int(element), int(element)), True, atoms, rows, rows))
    of_pair = numbers[pairs]
    for first, second in np.unique(of_pair[:, of_pair[0] <= of_pair[1]], axis=1).T:
        rows = np.flatnonzero((of_pair[0] == first) & (of_pair[1] == second))
        left, right = (functions(atoms) for atoms in pairs[:, rows])
        groups.append(BlockGroup((int(first), int(second)), False, rows, left, right))
    return groups
