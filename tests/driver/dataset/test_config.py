"""The configuration of a data set."""

from pathlib import Path

from hybrid_propagate.driver.dataset.config import read_config


def test_the_example_can_be_read() -> None:
    config = read_config(Path(__file__).parents[3] / "examples/dataset.yaml")
    assert [molecule.name for molecule in config.molecules if molecule.held_out] == ["H2CO", "HCN", "C2H2"]
    assert len(config.levels) == 2
