"""A small data set that the tests of training share: hydrogen, hydrogen fluoride, a held-out LiH."""

from pathlib import Path

import pytest

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
