"""What the tests of the network share: a small model in double precision, molecules, and their inputs."""

from dataclasses import dataclass

import numpy as np
import torch
from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.matrices.symmetric_pairs import (
    pack_antisymmetric,
    pack_symmetric,
    unpack_antisymmetric,
    unpack_symmetric,
)
from hybrid_propagate.surrogate.network.config import ModelConfig
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.network.response_step import (
    Encode,
    Linear,
    Memory,
    Step,
    StepResult,
    linear,
    state_width,
)
from hybrid_propagate.surrogate.runtime.fitting_factors import (
    FittingFactors,
    fitting_factors,
    mean_field_kernel,
)
from pyscf import gto

CONFIG = ModelConfig(members=2, latents=4, width=16, irreps="8x0e + 4x1o + 2x2e", memory_width=8, context=4)
WATER = [("O", (0.0, 0.05, 0.22)), ("H", (0.1, 1.43, -0.89)), ("H", (0.0, -1.40, -0.95))]


def double_model(config: ModelConfig = CONFIG) -> ResponseModel:
    """Random weights, seeded, with read-outs as large as trained ones; e3nn keeps constants as it was
    built."""
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    try:
        return with_readouts(ResponseModel(config)).eval()
    finally:
        torch.set_default_dtype(torch.float32)


def with_readouts(model: ResponseModel) -> ResponseModel:
    """The model with random read-outs as large as trained ones; as it is made it predicts nothing."""
    decoder = model.decoder
    common = decoder.own_common, decoder.bond_common
    with torch.no_grad():
        for readout in (*common, *decoder.own_readout, *decoder.bond_readout, *model.dynamics.readout):
            readout.weight.copy_(0.1 * torch.randn_like(readout.weight))
    return model


def molecule(atoms: list[tuple[str, tuple[float, ...]]], basis: str = "6-31g") -> gto.Mole:
    """Positions in bohr."""
    return gto.M(atom=atoms, basis=basis, unit="Bohr", spin=None, verbose=0)


@dataclass(frozen=True, eq=False)
class Case:
    """A molecule's own inputs of the graphs."""

    mol: gto.Mole
    known: FittingFactors
    kernel: torch.Tensor
    linear: Linear
    memory: Memory


def case(model: ResponseModel, mol: gto.Mole) -> Case:
    """Encode a molecule; its base is Coulomb and a quarter of exact exchange."""
    known, base = fitting_factors(mol), mean_field_kernel(mol, "PBE0")
    pairs = torch.as_tensor(atom_pairs(np.array([mol.natm])))
    with torch.no_grad():
        encoded = Encode(model)(
            torch.as_tensor(mol.atom_charges().astype(np.int64)),
            torch.as_tensor(mol.atom_coords()),
            pairs,
            torch.as_tensor(known.basis_moments),
        )
    assert base.imaginary is not None
    B, currents, real, imag = map(torch.as_tensor, (known.factors, known.currents, base.real, base.imaginary))
    kernel, context, coupling = encoded
    of = linear(B, kernel, real, imag)
    return Case(mol, known, kernel, of, Memory(currents, context, coupling, B @ of.real))


def answer(
    model: ResponseModel, of: Case, change: np.ndarray, field: np.ndarray, state: torch.Tensor | None = None
) -> tuple[np.ndarray, np.ndarray, StepResult]:
    """ΔF now and a half step ahead (its real part), (n, n), of a Hermitian δP in the Löwdin basis."""
    n = of.mol.nao
    if state is None:
        state = torch.zeros(of.mol.natm, state_width(model.dynamics), dtype=torch.float64)
    x, y = pack_symmetric(change.real), pack_antisymmetric(change.imag)
    with torch.no_grad():
        now = (torch.as_tensor(a) for a in (x, y, field))
        result = Step(model.dynamics)(*of.linear, *of.memory, *now, state)
    matrix = unpack_symmetric(result.response_x.numpy(), n) + 1j * unpack_antisymmetric(
        result.response_y.numpy(), n
    )
    return matrix, unpack_symmetric(result.ahead_x.numpy(), n), result


def random_change(n: int, seed: int = 0) -> np.ndarray:
    """A small Hermitian matrix."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
    return 1e-3 * (matrix + matrix.conj().T)
