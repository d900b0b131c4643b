"""Starting densities from the trained density network: geometry in, idempotent density out, no SCF.

F ≈ F_atoms + S^(1/2) Δ S^(1/2), Δ read out block by block from equivariant features of the geometry
(`neural.density_network`); its lowest orbitals are the density. ONNX Runtime and numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...adapters.pyscf.molecule import molecule
from ...adapters.system import Shells, System
from ...adapters.system.elements import SYMBOLS
from ...adapters.system.geometry import ANGSTROM_PER_BOHR
from ..matrices.atom_pairs import atom_pairs
from ..matrices.lowdin import overlap_root
from .atomic_potentials import atomic_potential_fock
from .blocks import block_coupling, block_groups, decoupled, layout
from .predictor import NotApplicable
from .purification import density_of_fock
from .weights import (
    GRAPH,
    READOUTS,
    DensityReadout,
    DensityWeights,
    distance_bins,
    named_features,
    read_out,
    read_weights,
)

if TYPE_CHECKING:
    import onnxruntime
    from pyscf.gto import Mole

SHIPPED = Path(__file__).parents[1] / "weights" / "density"


@dataclass(frozen=True)
class NeuralDensity:
    """Predicts neutral closed shells of the elements, basis sets and distances it was trained on.

    folder: where the graph and the read-outs lie. Any functional without exact exchange is served by PBE's
    read-out, any with it by B3LYP's: densities differ less between functionals than guesses do.
    """

    folder: Path = SHIPPED
    name: str = field(default="neural", init=False)

    def predict(self, system: System) -> np.ndarray:
        """Idempotent density (1, n, n). Raises NotApplicable, naming what the network was not trained for."""
        if system.open_shell or system.charge:
            raise NotApplicable("neural: trained on neutral closed shells only")
        if system.ecp or not np.all(system.geometry.atomic_numbers > 0):
            raise NotApplicable("neural: trained on atoms with all their electrons only, no ECP, no ghosts")
        from pyscf.dft import libxc

        weights = _weights(self.folder)
        mole = molecule(system)
        pure = mole
        if mole.cart:
            pure = mole.copy()
            pure.cart = False
            pure.build(False, False)
        readout = find_readout(weights, pure, bool(libxc.is_hybrid_xc(system.functional.pyscf)))
        check_distances(weights, pure)
        fock = predict_fock(pure, weights, readout, _session(self.folder))
        density = density_of_fock(fock[None], pure.intor("int1e_ovlp"), pure.nelec[:1])
        if mole.cart:
            # Orbitals of the pure functions within the cartesian ones.
            C = mole.cart2sph_coeff(normalized="sp")
            density = C @ density @ C.T
        return density


def find_readout(weights: DensityWeights, mole: Mole, hybrid: bool) -> DensityReadout:
    """The read-out for a molecule's shells, with or without exact exchange. Raises NotApplicable."""
    numbers = mole.atom_charges()
    known = sorted({number for readout in weights.readouts for number in readout.basis})
    for number in numbers:
        if number not in known:
            raise NotApplicable(
                f"neural: not trained on {SYMBOLS[number]}, only on {', '.join(SYMBOLS[z] for z in known)}"
            )
    wanted = "b3lyp" if hybrid else "pbe"
    fitting = [
        readout
        for readout in weights.readouts
        if all(_same_basis(mole, k, readout.basis.get(int(z))) for k, z in enumerate(numbers))
    ]
    if not fitting:
        names = sorted({readout.basis_set for readout in weights.readouts})
        raise NotApplicable(f"neural: not trained on this basis, only on {', '.join(names)}")
    return next((r for r in fitting if r.functional == wanted), fitting[0])


def check_distances(weights: DensityWeights, mole: Mole) -> None:
    """Refuse what the read-outs would extrapolate to. Raises NotApplicable.

    Every distance within the cut-off must be one that training has seen between these elements.
    """
    numbers, positions = mole.atom_charges(), mole.atom_coords()
    pairs = atom_pairs(np.array([len(numbers)]), positions, weights.cutoff)
    pairs = pairs[:, numbers[pairs[0]] <= numbers[pairs[1]]]
    bins = distance_bins(positions, pairs)
    kinds = numbers[pairs]
    for left, right in np.unique(kinds, axis=1).T.tolist():
        own = bins[(kinds[0] == left) & (kinds[1] == right)]
        strange = own[~np.isin(own, weights.distances.get((left, right), []))]
        if len(strange):
            length = (strange[0] + 0.5) * 0.1 * ANGSTROM_PER_BOHR
            raise NotApplicable(
                f"neural: not trained on {SYMBOLS[left]} and {SYMBOLS[right]} {length:.1f} Å apart"
            )


def predict_fock(
    mole: Mole, weights: DensityWeights, readout: DensityReadout, session: onnxruntime.InferenceSession
) -> np.ndarray:
    """Fock matrix (n, n), Hartree, PySCF's order. Raises NotApplicable for bonds that were not trained."""
    numbers, positions = mole.atom_charges(), mole.atom_coords()
    pairs = atom_pairs(np.array([len(numbers)]), positions, weights.cutoff)
    inputs = {
        "atomic_numbers": numbers.astype(np.int64),
        "positions": positions.astype(np.float32),
        "pairs": pairs,
    }
    of_pairs, of_atoms = named_features(session.run(None, inputs), pairs)
    places = layout(mole)
    change = np.zeros((mole.nao, mole.nao))
    for group in block_groups(numbers, pairs, places):
        kind = (*group.elements, group.on_site)
        if kind not in readout.weights:
            raise NotApplicable(
                f"neural: trained on no molecule with both {SYMBOLS[kind[0]]} and {SYMBOLS[kind[1]]}"
            )
        shells = [places.shells[int(np.flatnonzero(numbers == z)[0])] for z in group.elements]
        coupling = block_coupling(shells[0], shells[1], kind[0] == kind[1], weights.couplings)
        features = of_atoms if group.on_site else of_pairs
        chosen = {name: values[group.rows] for name, values in features.items()}
        blocks = decoupled(read_out(chosen, readout.weights[kind]), coupling)
        # Each block is written once: ordered pairs of one element meet as transposes below.
        change[group.left[:, :, None], group.right[:, None, :]] += blocks
    root = overlap_root(mole.intor("int1e_ovlp"))
    return atomic_potential_fock(mole) + root @ (change + change.T) @ root


def _same_basis(mole: Mole, atom: int, shells: Shells | None) -> bool:
    """Whether an atom carries these shells, in this order: angular momenta, exponents, contractions."""
    if shells is None:
        return False
    own = [s for s in range(mole.nbas) if mole.bas_atom(s) == atom]
    if len(own) != len(shells):
        return False
    return all(
        mole.bas_angular(s) == momentum and _same_shell(_primitives(mole, s), np.array(primitives))
        for s, (momentum, *primitives) in zip(own, shells, strict=True)
    )


def _primitives(mole: Mole, shell: int) -> np.ndarray:
    """Exponents and contraction coefficients (k, 1 + contractions)."""
    return np.column_stack([mole.bas_exp(shell), mole.bas_ctr_coeff(shell)])


def _same_shell(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-4, atol=1e-6)


def basis_shells(mole: Mole, atom: int) -> Shells:
    """Shells of an atom as `find_readout` compares them."""
    own = [s for s in range(mole.nbas) if mole.bas_atom(s) == atom]
    return [[int(mole.bas_angular(s)), *_primitives(mole, s).tolist()] for s in own]


@cache
def _weights(folder: Path) -> DensityWeights:
    if not (folder / READOUTS).exists() or not (folder / GRAPH).exists():
        raise NotApplicable(f"neural: no weights in {folder}")
    return read_weights(folder / READOUTS)


@cache
def _session(folder: Path) -> onnxruntime.InferenceSession:
    """One CPU thread: the graph of a small molecule is too small to share."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(folder / GRAPH, options, providers=["CPUExecutionProvider"])
