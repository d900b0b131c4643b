"""Points of a quadrature that stand for their mirror images.

Where nuclei keep to planes or axes along the coordinates, so does a grid of Lebedev's spheres. An integrand
that no such operation changes is the same at a point and its images: one of up to eight is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from pyscf import gto

from ...adapters.pyscf.quadrature import Quadrature, ao_values

#: Bohr: nuclei and points this close are the same.
SAME_PLACE = 1e-6
#: How far an orbital's image may be from ± itself, and a sum of weights from that over all points, relative.
SAME_SIGN, SAME_SUM = 1e-5, 1e-8
#: Points at which orbitals show their signs.
_TRIED = 300
#: Signs of x, y and z by which an operation multiplies; the first is the identity.
_OPERATIONS = np.array(list(product((1.0, -1.0), repeat=3)))


@dataclass(frozen=True, eq=False)
class Distinct:
    """numbers: (k,) which points, ascending. images: (k,) for how many each stands, itself included."""

    numbers: np.ndarray
    images: np.ndarray


def operations_of(mol: gto.Mole) -> np.ndarray:
    """Signs (k, 3) of x, y and z, about the centre of charge, that take the nuclei into themselves."""
    charges, places = mol.atom_charges(), mol.atom_coords() - centre_of(mol)
    kept = []
    for signs in _OPERATIONS:
        apart = np.linalg.norm(places[:, None] - signs * places, axis=2) < SAME_PLACE
        if (apart & (charges[:, None] == charges)).any(axis=1).all():
            kept.append(signs)
    return np.array(kept)


def centre_of(mol: gto.Mole) -> np.ndarray:
    """Of charge, (3,), bohr: no operation moves it."""
    charges = mol.atom_charges()
    return charges @ mol.atom_coords() / charges.sum()


def orbital_signs(quadrature: Quadrature, operations: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """What operations (k, 3) multiply orbitals (n, m) by: ±1, (k, m); 0 where it is no sign."""
    mol, step = quadrature.mol, max(1, len(quadrature.coords) // _TRIED)
    places = quadrature.coords[::step] - centre_of(mol)
    here = ao_values(mol, places + centre_of(mol), 1)[0] @ coefficients
    found = np.zeros((len(operations), coefficients.shape[1]))
    for signs, own in zip(operations, found, strict=True):
        there = ao_values(mol, signs * places + centre_of(mol), 1)[0] @ coefficients
        sign = np.sign(np.einsum("gm,gm->m", here, there))
        apart = np.linalg.norm(there - sign * here, axis=0)
        own[:] = np.where(apart < SAME_SIGN * np.linalg.norm(here, axis=0), sign, 0.0)
    return found


def distinct_points(
    quadrature: Quadrature, operations: np.ndarray, weights: Sequence[np.ndarray]
) -> Distinct:
    """One of the images of each point under a group of operations, (k, 3).

    weights: integrands (n_grid,) that the operations should leave as they are; where their sums over distinct
    points do not say so, every point stands for itself.
    """
    places = quadrature.coords - centre_of(quadrature.mol)
    places[np.abs(places) < SAME_PLACE] = 0.0
    first, unmoved = np.ones(len(places), bool), np.zeros(len(places), int)
    for signs in operations:
        moved = places * (1.0 - signs)
        # The image that comes last in lexical order is kept.
        leading = np.take_along_axis(moved, (moved != 0.0).argmax(axis=1)[:, None], axis=1)[:, 0]
        first &= leading >= 0.0
        unmoved += leading == 0.0
    numbers = np.flatnonzero(first)
    images = len(operations) / unmoved[numbers]
    for weight in weights:
        if abs(images @ weight[numbers] - weight.sum()) > SAME_SUM * np.abs(weight).sum():
            return Distinct(np.arange(len(places)), np.ones(len(places)))
    return Distinct(numbers, images)
