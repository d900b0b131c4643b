"""What the tests of training share: a small data set, hydrogen, hydrogen fluoride, a held-out LiH; and the
tutorial's configuration on it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hybrid_propagate.surrogate.training.config import TrainConfig, read_config

TUTORIAL = Path(__file__).parents[3] / "examples" / "train.yaml"

DATASET = """folder: {folder}
seed: 3
levels: [{{basis: STO-3G, xc: pbe0}}]
geometries: {{count: 4, validation: 0.25, test: 0.25}}
pairs: {{rotations: 8, visited: 3}}
trajectories: {{steps: 40, fields: [kick], keep: 1}}
molecules: [H2, HF]
held_out: [LiH]
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by hybrid-dataset itself."""
    from hybrid_propagate.driver.commands.dataset import main

    folder = tmp_path_factory.mktemp("data")
    config = folder / "dataset.yaml"
    config.write_text(DATASET.format(folder=folder / "set"))
    assert main([str(config)]) == 0
    return folder / "set"


@pytest.fixture(scope="module")
def config(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """The tutorial with fewer steps and a smaller network, on the small data set."""
    tutorial = read_config(TUTORIAL)
    return replace(
        tutorial,
        data=(data,),
        output=tmp_path_factory.mktemp("trained"),
        levels=("pbe0_sto-3g",),
        model=replace(tutorial.model, members=2, latents=4, width=16, irreps="8x0e + 4x1o + 2x2e"),
        response=replace(tutorial.response, steps=32, batch=4),
        ensemble=replace(tutorial.ensemble, steps=4, batch=4),
        dynamics=replace(tutorial.dynamics, steps=4, batch=2, horizon=(4, 8)),
        few_shot=replace(tutorial.few_shot, batch=1, updates=2),
    )
