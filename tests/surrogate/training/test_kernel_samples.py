"""Training samples: their quadratic form is the error of predictions."""

import numpy as np
import pytest
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.config import TrainConfig
from hybrid_propagate.surrogate.training.kernel_samples import geometry_pairs, kernel_samples

LEVEL = "pbe0_sto-3g"


def test_the_quadratic_form_is_the_error_of_predictions(config: TrainConfig) -> None:
    """A sample's form against the error of its pairs, computed one by one."""
    path = config.data[0] / "pairs" / f"HF_{LEVEL}.h5"
    sample = kernel_samples(path, "train", 0, "kernel")[0]
    pairs = geometry_pairs(path, read_pairs(path), 0, "kernel")
    linear = pairs.sizes < 0.02
    W = np.random.default_rng(0).standard_normal(sample.G.shape)
    W += W.T
    B = pairs.factors.factors
    wrong = pairs.x[linear] @ B.T @ W @ B + pairs.base_x[linear] - pairs.response_x[linear]
    whole = np.hypot(*(np.linalg.norm(r[linear], axis=1) for r in (pairs.response_x, pairs.response_y)))
    expected = np.mean((np.linalg.norm(wrong, axis=1) / whole) ** 2)
    answers = W @ sample.q
    found = np.vdot(sample.G @ answers, answers) - 2 * np.vdot(sample.T, W) + sample.c
    assert found == pytest.approx(expected, rel=1e-4)
