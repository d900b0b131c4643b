"""Training of the memory."""

import numpy as np
import torch
from hybrid_propagate.surrogate.matrices.symmetric_pairs import pack_symmetric
from hybrid_propagate.surrogate.runtime.fitting_factors import N_TOKENS
from hybrid_propagate.surrogate.training.config import TrainConfig
from hybrid_propagate.surrogate.training.dynamics_task import density_of, read_sequence

LEVEL = "pbe0_sto-3g"


def test_density_head_decodes_the_density(config: TrainConfig) -> None:
    """Tokens of the density itself give it back where the basis is small, and it is Hermitian."""
    [path] = sorted((config.data[0] / "trajectories").glob(f"HF_{LEVEL}_g*.h5"))
    sequence = read_sequence(path, config.data[0] / "pairs" / f"HF_{LEVEL}.h5")
    tokens = torch.as_tensor(sequence.tokens).transpose(0, 1)
    density = density_of(sequence, tokens, N_TOKENS).numpy()
    np.testing.assert_allclose(density, density.conj().swapaxes(1, 2), atol=1e-7)
    # What the tokens see of Re δP comes back as they see it.
    again = pack_symmetric(density.real - sequence.density) @ sequence.factors.T
    np.testing.assert_allclose(again.reshape(len(again), 2, -1), sequence.tokens[..., :N_TOKENS], atol=2e-4)
