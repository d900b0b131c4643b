"""The trained network at one geometry, through ONNX Runtime. Graphs, names, shapes: docs/neural/graphs.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyscf import gto

from ...adapters.deck.xc import FunctionalError, functional
from ...adapters.system import Shells, System
from ...adapters.system.basis_library import library_shells
from ...atomic.errors import BadInput
from ..kernel.analytic import AuxiliaryKernel, build_auxiliary_kernel, told_cells
from ..kernel.coulomb_exchange import coulomb_kernel, repulsion_integrals
from ..matrices.atom_pairs import atom_pairs
from ..matrices.lowdin import overlap_root
from ..matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)
from ..surrogate import Prior
from .fitting_factors import TOKENS, fitting_factors, lowdin_orbitals, mean_field_alone, mean_field_kernel
from .session import Device, GraphError, open_session

if TYPE_CHECKING:
    import onnxruntime

#: Version of the graphs' inputs and outputs, docs/neural/graphs.md.
FORMAT = "3"
#: Weights that ship with the package: the whole response, and the analytic kernel's error.
SHIPPED = {name: Path(__file__).parents[1] / "weights" / name for name in ("response", "correction")}


class NetworkNotApplicable(BadInput):
    """A network that knows nothing of a system. One line: what of it."""


@dataclass(frozen=True, eq=False)
class Graphs:
    """A trained ensemble. metadata: of the graphs, by name."""

    encode: onnxruntime.InferenceSession
    response: onnxruntime.InferenceSession
    metadata: Mapping[str, str]


def open_graphs(folder: Path, device: Device) -> Graphs:
    """The graphs that `hybrid-export` wrote to a folder. Raises DeviceError, GraphError."""
    encode = open_session(folder / "encode.onnx", "cpu", once=True)
    response = open_session(folder / "response.onnx", device)
    metadata = dict(response.get_modelmeta().custom_metadata_map)
    for name, own in (("tokens", TOKENS), ("format", FORMAT)):
        if metadata.get(name) != own:
            made_for = f"graphs for {name} {metadata.get(name)}, of another version"
            raise GraphError(f"{folder}: {made_for}; this is {own}")
    return Graphs(encode, response, metadata)


def check_applicable(metadata: Mapping[str, str], system: System) -> None:
    """Raises NetworkNotApplicable for what it was not made for: element, functional, basis, open shell."""
    if system.open_shell:
        raise NetworkNotApplicable("the network is for closed shells")
    if system.ecp:
        raise NetworkNotApplicable("the network knows no effective core potentials")
    known = {int(word) for word in metadata["elements"].split()}
    unknown = sorted({int(number) for number in system.geometry.atomic_numbers} - known)
    if unknown:
        raise NetworkNotApplicable(
            f"the network knows no element of number {unknown[0]}; it knows {_listed(known)}"
        )
    levels = metadata["levels"].split()
    if mean_field_alone(system.functional.pyscf):
        return
    if not any(_is_level(name, system) for name in levels):
        raise NetworkNotApplicable(f"the network serves Hartree-Fock and {', '.join(levels)} alone")


class NetworkResponse:
    """The linear response of one geometry, on packed real and imaginary parts in the Löwdin basis.

    real, imaginary: the whole response as matrices, (p, p) and (a, a), members averaged: what the graph
    computes, for blocks of many changes. coulomb: its Coulomb part, (p, p). root: S^½.
    """

    def __init__(
        self,
        graphs: Graphs,
        mol: gto.Mole,
        density: np.ndarray,
        xc: str,
        tell: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        """density: P0, (1, n, n), at which the analytic kernel is built where the network corrects it.

        tell: takes words and the share done meanwhile.
        """
        base = mean_field_kernel(mol, xc)
        if graphs.metadata["base"] != "mean-field":
            base = _analytic(mol, density, xc, tell)
        factors = fitting_factors(mol)
        pairs = atom_pairs(np.array([mol.natm]))
        encoded = _run(
            graphs.encode,
            {
                "atomic_numbers": mol.atom_charges().astype(np.int64),
                "positions": mol.atom_coords().astype(np.float32),
                "pairs": pairs,
                "basis_moments": factors.basis_moments.astype(np.float32),
            },
        )
        n = mol.nao
        imaginary = base.imaginary if base.imaginary is not None else np.zeros((n * (n - 1) // 2,) * 2)
        # Where Coulomb and exchange are all, so is the base.
        token_kernel = encoded["kernel"].astype(float) * (not mean_field_alone(xc))
        mean = token_kernel.mean(axis=0)
        apart, gram = token_kernel - mean, factors.factors @ factors.factors.T
        self.real = base.real + factors.factors.T @ mean @ factors.factors
        self.imaginary = imaginary
        self._n, self._graph = n, graphs.response
        constants = {
            "factors": factors.factors,
            # Of the members' answers, as a form of tokens: docs/neural/graphs.md.
            "variance": (apart @ gram @ apart).mean(axis=0),
            "real": self.real,
            "imag": imaginary,
        }
        self._fixed = _on_device(
            graphs.response, {name: value.astype(np.float32) for name, value in constants.items()}
        )
        self.coulomb = coulomb_kernel(repulsion_integrals(mol, lowdin_orbitals(mol)), n)
        self.root = overlap_root(mol.intor_symmetric("int1e_ovlp"))

    def respond(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Packed Re ΔF and Im ΔF of packed Re δP (p,) and Im δP (a,); the ensemble's relative spread."""
        # Scaled to order one: the smallest kicks stay clear of single precision's underflow.
        size = max(float(np.abs(x).max(initial=0.0)), float(np.abs(y).max(initial=0.0)))
        if size == 0.0:
            return np.zeros(x.shape), np.zeros(y.shape), 0.0
        binding = self._graph.io_binding()
        for name, value in self._fixed.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in (("x", x), ("y", y)):
            binding.bind_cpu_input(name, (value / size).astype(np.float32)[None])
        for name in ("response_x", "response_y", "spread"):
            binding.bind_output(name)
        self._graph.run_with_iobinding(binding)
        response_x, response_y, spread = binding.copy_outputs_to_cpu()
        return response_x[0] * size, response_y[0] * size, float(spread[0])

    def pack(self, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Packed parts of Löwdin matrices (..., n, n)."""
        return pack_symmetric(np.real(change)), pack_antisymmetric(np.imag(change))

    def unpack(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The inverse of `pack`, (..., n, n) complex."""
        return unpack_symmetric(x, self._n) + 1j * unpack_antisymmetric(y, self._n)

    def prior(self) -> Prior:
        """The Fock response of an AO change (1, n, n)."""

        def prior(change: np.ndarray) -> np.ndarray:
            x, y, _ = self.respond(*self.pack(self.root @ change[0] @ self.root))
            return (self.root @ self.unpack(x, y) @ self.root)[None]

        return prior

    def typical_spread(self, changes: np.ndarray) -> float:
        """Root mean square of the ensemble's spread over AO changes (k, n, n)."""
        spreads = [self.respond(*self.pack(self.root @ change @ self.root))[2] for change in changes]
        return float(np.sqrt(np.mean(np.square(spreads))))


def _analytic(
    mol: gto.Mole, density: np.ndarray, xc: str, tell: Callable[[str, float], None]
) -> AuxiliaryKernel:
    cells = told_cells(mol, tell)
    kernel = build_auxiliary_kernel(mol, density, xc, cells, lowdin_orbitals(mol))
    if kernel is None:
        raise NetworkNotApplicable(
            "the network corrects the analytic kernel, which this functional or size has not"
        )
    return kernel


def _run(session: onnxruntime.InferenceSession, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs by name; inputs that the graph does without are left out."""
    outputs = [entry.name for entry in session.get_outputs()]
    wanted = {entry.name for entry in session.get_inputs()}
    found: Any = session.run(
        outputs, {name: np.ascontiguousarray(value) for name, value in feeds.items() if name in wanted}
    )
    return dict(zip(outputs, found, strict=True))


def _on_device(session: onnxruntime.InferenceSession, feeds: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What stays the same from step to step, where the graph runs."""
    from onnxruntime import OrtValue

    place = "cpu" if session.get_providers()[0] == "CPUExecutionProvider" else "cuda"
    return {
        name: OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value), place, 0)
        for name, value in feeds.items()
    }


def _is_level(name: str, system: System) -> bool:
    """Whether a data set's level, `pbe0_6-31g`, is that of a system."""
    xc, _, basis = name.partition("_")
    try:
        same = functional(("hfexch" if xc == "hf" else xc,)).pyscf == system.functional.pyscf
    except FunctionalError:
        return False
    numbers = dict(zip(system.geometry.tags, system.geometry.atomic_numbers, strict=True))
    return same and all(
        _shells(system.basis[tag]) == _shells(library_shells(basis, int(number)) or [])
        for tag, number in numbers.items()
    )


def _shells(shells: Shells) -> list[str]:
    """Shells in an order that does not depend on who wrote them."""
    return sorted(repr(shell) for shell in shells)


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))
