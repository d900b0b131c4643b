"""Errors of trained weights: no held-out molecule was trained on."""

import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel, saved
from hybrid_propagate.surrogate.training.config import TrainConfig
from hybrid_propagate.surrogate.training.evaluate import evaluate
from hybrid_propagate.surrogate.training.kernel_samples import kernel_samples

LEVEL = "pbe0_sto-3g"


def test_no_molecule_that_is_held_out_is_trained_on(config: TrainConfig) -> None:
    assert kernel_samples(config.data[0] / "pairs" / f"LiH_{LEVEL}.h5", "train", 0) == []
    rows = evaluate_untrained(config)
    assert {"H2", "HF", "LiH"} == {row.molecule for row in rows}


def evaluate_untrained(config: TrainConfig):
    """Rows of random weights: the base's error is untouched by them, to a hundredth."""
    torch.manual_seed(0)
    path = config.output / "untrained.pt"
    trained_on = {"levels": [LEVEL], "base": "mean-field"}
    torch.save({**saved(ResponseModel(config.model)), "trained_on": trained_on}, path)
    return evaluate(path, config.data[0], "test", 0, 0.05)
