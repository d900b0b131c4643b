"""Training from end to end: the tutorial configuration, its logs, evaluation."""

import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hybrid_propagate.driver.commands.train import main
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.training.config import TrainConfig, read_config
from hybrid_propagate.surrogate.training.evaluate import evaluate, load_model
from hybrid_propagate.surrogate.training.few_shot import read_outs
from hybrid_propagate.surrogate.training.fit import fit
from hybrid_propagate.surrogate.training.kernel_samples import kernel_samples
from hybrid_propagate.surrogate.training.molecule_adaptation import learned_from
from hybrid_propagate.surrogate.training.response_task import squared_errors

TUTORIAL = Path(__file__).parents[3] / "examples" / "train.yaml"
LEVEL = "pbe0_sto-3g"


def test_32_steps_of_the_tutorial(
    config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command itself: weights that load, a log, an error below that of the untrained network."""
    edits = {
        r"^data:.*": f"data: {config.data[0]}",
        r"^output:.*": f"output: {tmp_path}",
        r"^levels:.*": f"levels: [{LEVEL}]",
        r"steps: 1000": "steps: 32",
        # So few steps are better small.
        r"rate: 5.0e-3": "rate: 5.0e-4",
        r"steps: 500\n  batch: 16\n  rate: 3.0e-3": "steps: 4\n  batch: 16\n  rate: 3.0e-5",
        r"^dynamics:\n  steps: 0": "dynamics:\n  steps: 4",
        r"^few_shot:\n  steps: 0": "few_shot:\n  steps: 2",
    }
    text = TUTORIAL.read_text()
    for pattern, new in edits.items():
        text, found = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert found == 1, pattern
    (tmp_path / "train.yaml").write_text(text)
    assert main([str(tmp_path / "train.yaml")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "weights.pt")
    model, trained_on = load_model(tmp_path / "weights.pt")
    assert trained_on["molecules"] == ["H2", "HF"]
    assert trained_on["elements"] == [1, 9]
    rows = np.genfromtxt(tmp_path / "response.csv", delimiter=",", names=True)
    assert len(rows) == 32
    learned = learned_from(tmp_path / "weights.pt")
    assert learned is not None
    # The steps are learned, and leave what the network does without them as it was.
    assert learned.factors.tolist() != [1.0] * read_config(TUTORIAL).few_shot.updates
    assert not torch.equal(learned.start, read_outs(model.decoder))
    samples = kernel_samples(config.data[0] / "pairs" / f"HF_{LEVEL}.h5", "train", 0)
    torch.manual_seed(0)
    untrained = ResponseModel(model.config)
    with torch.no_grad():
        assert squared_errors(model, samples).mean() < 0.5 * squared_errors(untrained, samples).mean()
    folder = str(config.data[0])
    assert main(["evaluate", str(tmp_path / "weights.pt"), "--data", folder, "--adapt", "3"]) == 0
    assert "| HF |" in capsys.readouterr().out


@pytest.mark.parametrize("logger", ["tensorboard", "wandb"])
def test_loggers_keep_every_step(
    config: TrainConfig, logger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All stages, read back with the logger's own reader; wandb without its server."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    short = replace(
        config,
        output=tmp_path,
        loggers=(logger,),
        response=replace(config.response, steps=3),
        ensemble=replace(config.ensemble, steps=2),
        dynamics=replace(config.dynamics, steps=2),
    )
    fit(short, "cpu", lambda line: None)
    read = _tensorboard_steps if logger == "tensorboard" else _wandb_steps
    assert read(tmp_path) == {
        "response/loss": [1, 2, 3],
        "ensemble/loss": [1, 2],
        "dynamics/loss": [1, 2],
    }


def _tensorboard_steps(folder: Path) -> dict[str, list[int]]:
    from tensorboard.backend.event_processing.event_accumulator import (  # pyright: ignore
        EventAccumulator,
    )

    found = {}
    for path in (folder / "tensorboard").iterdir():
        events = EventAccumulator(str(path))
        events.Reload()
        for name in events.Tags()["scalars"]:
            if name.endswith("/loss"):
                found[name] = [event.step for event in events.Scalars(name)]
    return found


def _wandb_steps(folder: Path) -> dict[str, list[int]]:
    """From its files: seven bytes, then blocks of 32 KiB of records, each after checksum, length and kind."""
    from wandb.proto.wandb_internal_pb2 import Record  # pyright: ignore

    found: dict[str, list[int]] = {}
    for path in folder.glob("wandb/offline-run-*/*.wandb"):
        content, place, whole = path.read_bytes(), 7, b""
        while place + 7 <= len(content):
            if 32768 - place % 32768 < 7:
                place += 32768 - place % 32768
            length, kind = struct.unpack_from("<HB", content, place + 4)
            whole += content[place + 7 : place + 7 + length]
            place += 7 + length
            # Of a record in parts these are the first and the middle.
            if kind in (2, 3):
                continue
            record, whole = Record.FromString(whole), b""
            items = {"/".join(item.nested_key) or item.key: item for item in record.history.item}
            for name in items:
                if name.endswith("/loss"):
                    found.setdefault(name, []).append(int(items["_step"].value_json))
    return found


def evaluate_untrained(config: TrainConfig):
    """Rows of random weights: the base's error is untouched by them, to a hundredth."""
    torch.manual_seed(0)
    path = config.output / "untrained.pt"
    from hybrid_propagate.surrogate.network.response_model import saved

    trained_on = {"levels": [LEVEL], "base": "mean-field"}
    torch.save({**saved(ResponseModel(config.model)), "trained_on": trained_on}, path)
    return evaluate(path, config.data[0], "test", 0, 0.05)
