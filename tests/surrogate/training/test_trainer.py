"""The training loop: exact resume."""

from pathlib import Path

import pytest
import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.config import TrainConfig
from hybrid_propagate.surrogate.training.dynamics_task import DynamicsTask, read_sequence
from hybrid_propagate.surrogate.training.ensemble_task import EnsembleTask
from hybrid_propagate.surrogate.training.few_shot_task import FewShotTask, molecules
from hybrid_propagate.surrogate.training.kernel_samples import kernel_samples
from hybrid_propagate.surrogate.training.response_task import ResponseTask
from hybrid_propagate.surrogate.training.trainer import Schedule, train
from small_model import with_readouts

LEVEL = "pbe0_sto-3g"


@pytest.mark.parametrize("stage", ["response", "ensemble", "dynamics", "few_shot"])
def test_resumed_training_is_bit_for_bit_the_same(config: TrainConfig, stage: str, tmp_path: Path) -> None:
    paths = sorted((config.data[0] / "pairs").glob(f"*_{LEVEL}.h5"))
    results = []
    for name, stops in (("once", (None,)), ("twice", (3, None))):
        for stop in stops:
            torch.manual_seed(1)
            model = ResponseModel(config.model)
            samples = [s for path in paths for s in kernel_samples(path, "train", 0)]
            if stage == "response":
                task = ResponseTask(model, samples, config.response)
            elif stage == "ensemble":
                with_readouts(model)
                task = EnsembleTask(model, samples, config.ensemble, 0)
            elif stage == "few_shot":
                known = [path for path in paths if not read_pairs(path).attributes["held_out"]]
                task = FewShotTask(model.decoder, molecules(model, known, "mean-field"), config.few_shot)
            else:
                found = sorted((config.data[0] / "trajectories").glob(f"HF_{LEVEL}_g*.h5"))
                of = config.data[0] / "pairs" / f"HF_{LEVEL}.h5"
                task = DynamicsTask(model, [read_sequence(p, of) for p in found], config.dynamics)
            (tmp_path / name).mkdir(exist_ok=True)
            schedule = Schedule(6, 1e-3, 1e-5, "float32", 100, 0)
            train(task, schedule, tmp_path / name, lambda step, values: None, stop)
        results.append(task.module.state_dict())
    for key, value in results[0].items():
        assert torch.equal(value, results[1][key]), key
