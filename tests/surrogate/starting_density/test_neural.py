"""The trained density network: symmetries, what it refuses, what it saves, the graph against torch."""

from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule as ase_molecule
from hybrid_propagate.adapters.pyscf.molecule import molecule
from hybrid_propagate.adapters.system import Functional, System
from hybrid_propagate.surrogate.network.density_network import DensityNetwork, DensityNetworkShape
from hybrid_propagate.surrogate.network.geometry_encoder import GeometryEncoderShape
from hybrid_propagate.surrogate.starting_density.neural import (
    SHIPPED,
    NeuralDensity,
    basis_shells,
    predict_fock,
)
from hybrid_propagate.surrogate.starting_density.predictor import NotApplicable
from hybrid_propagate.surrogate.starting_density.weights import (
    GRAPH,
    READOUTS,
    DensityWeights,
    read_weights,
    write_weights,
)
from hybrid_propagate.surrogate.training import train_density
from hybrid_propagate.surrogate.training.density_readout import couplings, features, solve_readout, target
from hybrid_propagate.surrogate.training.density_samples import (
    HARTREE_PER_KELVIN,
    DensityData,
    MoleculeSamples,
    make_samples,
    read_samples,
    samples_path,
    thermal_geometries,
)
from pyscf import dft, gto, scf
from pyscf_systems import small_system

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "examples" / "density.yaml"
HELD_OUT = ROOT / "benchmarks/decks/held_out.xyz"
BOHR = 0.529177210903
PBE = Functional("xpbe96 cpbe96", "PBE,PBE")
BENT = Atoms("HOCH", [(0, 0, 0), (0.2, 0.1, 1.0), (1.2, 0.5, 1.6), (1.9, 1.3, 1.2)])


class TorchSession:
    """Stands for ONNX Runtime's session, with the torch network in double precision."""

    def __init__(self, network: DensityNetwork) -> None:
        self.network = network.double()

    def run(self, _: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Outputs of the network."""
        with torch.no_grad():
            outputs = self.network(
                torch.tensor(inputs["atomic_numbers"]),
                torch.tensor(inputs["positions"], dtype=torch.float64),
                torch.tensor(inputs["pairs"]),
            )
        return [output.numpy() for output in outputs]


@pytest.fixture(scope="module")
def network() -> DensityNetwork:
    """The shipped network, built again from its configuration and seed."""
    return train_density.make_network(train_density.read_training(CONFIG))


def _system(atoms: Atoms, basis: str = "6-31g", functional: Functional = PBE, **changes) -> System:
    tags = tuple(atoms.get_chemical_symbols())
    return replace(small_system(tags, atoms.positions / BOHR, basis, functional), grid="coarse", **changes)


def _fock(network: DensityNetwork, numbers: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, gto.Mole]:
    weights = read_weights(SHIPPED / READOUTS)
    readout = next(r for r in weights.readouts if (r.basis_set, r.functional) == ("def2-svp", "pbe"))
    atoms = list(zip(numbers.tolist(), positions.tolist(), strict=True))
    mole = gto.M(atom=atoms, basis="def2-svp", verbose=0)
    return predict_fock(mole, weights, readout, TorchSession(network)), mole  # pyright: ignore


def _levels(fock: np.ndarray, mole: gto.Mole) -> np.ndarray:
    return scf.hf.eig(fock, mole.intor("int1e_ovlp"))[0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_levels_do_not_change_when_the_molecule_turns(network: DensityNetwork, sign: float) -> None:
    rotation = sign * np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    here = _fock(network, BENT.numbers, BENT.positions)
    there = _fock(network, BENT.numbers, BENT.positions @ rotation.T + 1.0)
    # Positions enter the session in single precision.
    np.testing.assert_allclose(_levels(*there), _levels(*here), atol=2e-5)
    np.testing.assert_allclose(here[0], here[0].T, atol=1e-13)


def test_permuted_atoms_permute_the_matrix(network: DensityNetwork) -> None:
    order = np.array([2, 3, 1, 0])
    here, mole = _fock(network, BENT.numbers, BENT.positions)
    there, _ = _fock(network, BENT.numbers[order], BENT.positions[order])
    places = mole.aoslice_by_atom()[:, 2:]
    functions = np.concatenate([np.arange(*places[k]) for k in order])
    np.testing.assert_allclose(there, here[np.ix_(functions, functions)], atol=1e-9)


def test_the_shipped_graph_is_the_network(network: DensityNetwork) -> None:
    assert train_density.compare(network, SHIPPED / GRAPH) < 1e-4


@pytest.mark.parametrize("spherical", [True, False])
@pytest.mark.parametrize("formula", ["H2", "H2CO", "CH3OH"])
def test_densities_are_idempotent_and_hold_the_electrons(formula: str, spherical: bool) -> None:
    system = _system(ase_molecule(formula), "def2-svp", spherical=spherical)
    (P,) = NeuralDensity().predict(system)
    S = molecule(system).intor("int1e_ovlp")
    np.testing.assert_allclose(P @ S @ P, 2 * P, atol=1e-7)
    assert np.trace(P @ S) == pytest.approx(system.geometry.atomic_numbers.sum(), abs=1e-8)


@pytest.mark.parametrize(
    ("system", "reason"),
    [
        (_system(ase_molecule("SH2")), "not trained on S"),
        (_system(ase_molecule("H2O"), "sto-3g"), "basis"),
        (_system(ase_molecule("LiF")), "Li and F"),
        (_system(ase_molecule("N2H4")), "H and N"),
        (_system(ase_molecule("H2O"), charge=2), "neutral"),
        (_system(ase_molecule("O2"), open_shell=True, multiplicity=3), "closed shells"),
    ],
)
def test_what_it_was_not_trained_for_is_refused_by_name(system: System, reason: str) -> None:
    with pytest.raises(NotApplicable, match=reason):
        NeuralDensity().predict(system)


def test_held_out_geometries_need_two_fifths_fewer_iterations() -> None:
    # The bar is PySCF's own default, minao, on the same molecule with the same thresholds.
    frames = ase.io.read(HELD_OUT, ":")
    first = {frame.info["name"]: frame for frame in reversed(frames)}
    cold = warm = 0
    for name in ("H2O", "CO", "HCN"):
        system = _system(first[name])
        field = dft.RKS(molecule(system), xc="PBE,PBE")
        field.grids.level = 1
        energy = field.kernel()
        cold += field.cycles
        assert field.kernel(NeuralDensity().predict(system)[0]) == pytest.approx(energy, abs=1e-7)
        warm += field.cycles
    assert warm <= 0.6 * cold


def test_a_tiny_training_beats_superposed_potentials(tmp_path: Path) -> None:
    data = DensityData((MoleculeSamples("HF", 6, 2),), ("6-31g",), ("pbe",), 300.0, 1)
    make_samples(data, tmp_path, lambda _: None)
    path = samples_path(tmp_path, "HF")
    torch.manual_seed(1)
    encoder = GeometryEncoderShape((1, 9), "8x0e + 4x1o + 2x2e", layers=1, radial_width=8)
    network = DensityNetwork(DensityNetworkShape(encoder, channels=4, gated=8)).double()
    ground = read_samples(path, "6-31g", "pbe", False)
    found = features(network, ground.atomic_numbers, ground.positions)
    matrices, places = target(ground, "6-31g")
    weights = solve_readout([(ground.atomic_numbers, found, matrices, places)], 1e-8)
    mole = train_density._mole(ground, 0, "6-31g")
    basis = {9: basis_shells(mole, 0), 1: basis_shells(mole, 1)}
    assert mole.atom_charges().tolist() in ([9, 1], [1, 9])
    readout = train_density.DensityReadout("6-31g", "pbe", basis, weights)
    write_weights(tmp_path / READOUTS, DensityWeights(couplings(), (readout,), 9.4, {}, {}))
    stored = read_weights(tmp_path / READOUTS)
    unseen = read_samples(path, "6-31g", "pbe", True)
    expected, _ = target(unseen, "6-31g")
    for k, F in enumerate(unseen.fock):
        there = train_density._mole(unseen, k, "6-31g")
        predicted = predict_fock(there, stored, stored.readouts[0], TorchSession(network))  # pyright: ignore
        values, vectors = np.linalg.eigh(unseen.overlap[k])
        inverse = (vectors / np.sqrt(values)) @ vectors.T
        error = np.linalg.norm(inverse @ (predicted - F) @ inverse)
        # Without training, the error is that of the superposed potentials.
        assert error < 1e-2 * np.linalg.norm(expected[k])


def test_a_configuration_without_a_key_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "density.yaml"
    path.write_text(CONFIG.read_text().replace("ridge:", "rigde:"))
    with pytest.raises(ValueError, match="'ridge' is missing"):
        train_density.read_training(path)


def test_thermal_amplitudes_obey_equipartition() -> None:
    # ⟨k x²⟩ = k_B T for a bond with force constant k, from finite differences of PySCF's energies.
    numbers, positions = thermal_geometries("H2", 4000, 300.0, 1)
    lengths = np.linalg.norm(positions[:, 1] - positions[:, 0], axis=1)

    def energy(length: float) -> float:
        atoms = [(1, (0, 0, 0)), (1, (0, 0, length))]
        return scf.RHF(gto.M(atom=atoms, unit="Bohr", basis="6-31g", verbose=0)).kernel()

    r, h = float(lengths.mean()), 0.02
    k = (energy(r + h) - 2 * energy(r) + energy(r - h)) / h**2
    assert k * lengths.var() == pytest.approx(300.0 * HARTREE_PER_KELVIN, rel=0.1)
    assert numbers.tolist() == [1, 1]
