"""The configuration of a training: defaults, and what is refused."""

import re
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.train import main
from hybrid_propagate.surrogate.training.config import ConfigError, TrainConfig, read_config

TUTORIAL = Path(__file__).parents[3] / "examples" / "train.yaml"


def test_the_tutorial_shows_the_defaults() -> None:
    """Its comments are the manual: every entry is there, with the value that leaving it out gives."""
    tutorial = read_config(TUTORIAL)
    assert tutorial == TrainConfig(tutorial.data, tutorial.output, tutorial.levels)
    text = TUTORIAL.read_text()
    parts = (tutorial.model, tutorial.response, tutorial.dynamics, tutorial.few_shot)
    for part in (tutorial, *parts):
        for name in part.__dataclass_fields__:
            assert re.search(rf"^ *{name}:", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stepz: 3", "bad.yaml:4: stepz: unknown 'stepz'; accepted: data, output"),
        ("base: exact", "base: 'exact'; accepted: 'mean-field' or 'kernel'"),
        ("seed: many", "seed: 'many'; accepted: a valid integer"),
        ("response: {batch: 0}", "response: batch: 0; accepted: greater than or equal to 1"),
        ("few_shot: {updates: 0}", "few_shot: updates: 0; accepted: greater than or equal to 1"),
        ("model: {bundle: 3}", "model: bundle: 3; accepted: 1, 2, 4 or 8"),
        ("loggers: [paper]", "loggers: 1: 'paper'; accepted: 'csv', 'tensorboard' or 'wandb'"),
    ],
)
def test_bad_configurations_are_refused(
    line: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"data: a\noutput: b\nlevels: [c]\n{line}\n")
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_config(path)
    assert main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_missing_entries_and_data_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("data: nowhere\n")
    assert main([str(path)]) == 2
    assert "missing: output, levels" in capsys.readouterr().err
    path.write_text(f"data: nowhere\noutput: {tmp_path / 'out'}\nlevels: [pbe0_6-31g]\n")
    assert main([str(path)]) == 2
    assert "no pairs/*_pbe0_6-31g.h5; hybrid-dataset makes them" in capsys.readouterr().err
