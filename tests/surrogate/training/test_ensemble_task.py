"""Members of the ensemble: one read-out until each has its own."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.training.config import TrainConfig
from hybrid_propagate.surrogate.training.ensemble_task import EnsembleTask, bootstrap
from hybrid_propagate.surrogate.training.kernel_samples import kernel_samples
from hybrid_propagate.surrogate.training.response_task import ResponseTask, squared_errors
from hybrid_propagate.surrogate.training.trainer import Schedule, train

LEVEL = "pbe0_sto-3g"


def test_members_share_one_read_out_until_each_has_its_own(config: TrainConfig) -> None:
    """The first stage moves what members share, the second what they do not, and nothing else."""
    path = config.data[0] / "pairs" / f"HF_{LEVEL}.h5"
    samples = kernel_samples(path, "train", 0)
    torch.manual_seed(0)
    model = ResponseModel(config.model)
    schedule = Schedule(5, 1e-3, 0.0, "float32", 100, 0)
    with tempfile.TemporaryDirectory() as folder:
        train(
            ResponseTask(model, samples, config.response), schedule, Path(folder), lambda step, values: None
        )
        same = squared_errors(model, samples)
        assert torch.equal(same[0], same[1])
        task = EnsembleTask(model, samples, config.ensemble, 0)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        train(task, schedule, Path(folder), lambda step, values: None)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    readouts = {f"decoder.{of}_readout.{k}.weight" for of in ("own", "bond") for k in range(2)}
    assert moved == readouts
    apart = squared_errors(model, samples)
    assert not torch.isclose(apart[0], apart[1]).any()


def test_bootstrap_weighs_molecules_and_their_geometries(config: TrainConfig) -> None:
    names = ("H2", "HF")
    files = [config.data[0] / "pairs" / f"{name}_{LEVEL}.h5" for name in names]
    samples = 200 * [s for path in files for s in kernel_samples(path, "train", 0)]
    weights = bootstrap(samples, np.random.default_rng(0), 400)
    np.testing.assert_allclose(weights.mean(1), 1.0)
    assert weights.min() > 0
    shares = np.stack([weights[:, [s.molecule == name for s in samples]].mean(1) for name in names])
    # Of two exponential weights one's share is uniform.
    share = shares[0] / shares.sum(0)
    assert share.std() == pytest.approx(12**-0.5, abs=0.04)
