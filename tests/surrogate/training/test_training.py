"""Training from end to end: the tutorial configuration, exact resume, what is refused, evaluation."""

import re
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hybrid_propagate.driver.commands.train import main
from hybrid_propagate.surrogate.matrices.symmetric_pairs import pack_symmetric
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.runtime.fitting_factors import N_TOKENS
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.config import ConfigError, TrainConfig, read_config
from hybrid_propagate.surrogate.training.dynamics_task import DynamicsTask, density_of, read_sequence
from hybrid_propagate.surrogate.training.ensemble_task import EnsembleTask, bootstrap
from hybrid_propagate.surrogate.training.evaluate import evaluate, load_model
from hybrid_propagate.surrogate.training.few_shot import read_outs
from hybrid_propagate.surrogate.training.few_shot_task import FewShotTask, molecules
from hybrid_propagate.surrogate.training.fit import fit
from hybrid_propagate.surrogate.training.kernel_samples import geometry_pairs, kernel_samples
from hybrid_propagate.surrogate.training.molecule_adaptation import learned_from
from hybrid_propagate.surrogate.training.response_task import ResponseTask, squared_errors
from hybrid_propagate.surrogate.training.trainer import Schedule, train
from model_contract import with_readouts

TUTORIAL = Path(__file__).parents[3] / "examples" / "train.yaml"
LEVEL = "pbe0_sto-3g"


@pytest.fixture(scope="module")
def config(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """The tutorial with fewer steps and a smaller network, on the small data set."""
    tutorial = read_config(TUTORIAL)
    return replace(
        tutorial,
        data=(data,),
        output=tmp_path_factory.mktemp("trained"),
        levels=(LEVEL,),
        model=replace(tutorial.model, members=2, latents=4, width=16, irreps="8x0e + 4x1o + 2x2e"),
        response=replace(tutorial.response, steps=32, batch=4),
        ensemble=replace(tutorial.ensemble, steps=4, batch=4),
        dynamics=replace(tutorial.dynamics, steps=4, batch=2, horizon=(4, 8)),
        few_shot=replace(tutorial.few_shot, batch=1, updates=2),
    )


def test_the_tutorial_shows_the_defaults() -> None:
    """Its comments are the manual: every entry is there, with the value that leaving it out gives."""
    tutorial = read_config(TUTORIAL)
    assert tutorial == TrainConfig(tutorial.data, tutorial.output, tutorial.levels)
    text = TUTORIAL.read_text()
    parts = (tutorial.model, tutorial.response, tutorial.dynamics, tutorial.few_shot)
    for part in (tutorial, *parts):
        for name in part.__dataclass_fields__:
            assert re.search(rf"^ *{name}:", text, re.MULTILINE), name


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


def test_no_molecule_that_is_held_out_is_trained_on(config: TrainConfig) -> None:
    assert kernel_samples(config.data[0] / "pairs" / f"LiH_{LEVEL}.h5", "train", 0) == []
    rows = evaluate_untrained(config)
    assert {"H2", "HF", "LiH"} == {row.molecule for row in rows}


def evaluate_untrained(config: TrainConfig):
    """Rows of random weights: the base's error is untouched by them, to a hundredth."""
    torch.manual_seed(0)
    path = config.output / "untrained.pt"
    from hybrid_propagate.surrogate.network.response_model import saved

    trained_on = {"levels": [LEVEL], "base": "mean-field"}
    torch.save({**saved(ResponseModel(config.model)), "trained_on": trained_on}, path)
    return evaluate(path, config.data[0], "test", 0, 0.05)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stepz: 3", "unknown entry 'stepz'; accepted: data, output"),
        ("base: exact", "base: 'exact'; accepted: mean-field, kernel"),
        ("seed: many", "seed: 'many' is not of type int"),
        ("response: {batch: 0}", "response: batch must be at least 1"),
        ("few_shot: {updates: 0}", "few_shot: updates must be at least 1"),
        ("model: {bundle: 3}", "model: bundle: accepted: 1, 2, 4, 8"),
        ("loggers: [paper]", "loggers: 'paper'; accepted: csv, tensorboard, wandb"),
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
