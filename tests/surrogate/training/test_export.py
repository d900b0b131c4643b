"""Export: graphs that agree with torch at other sizes, metadata, and a graph that differs is not written."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hybrid_propagate.surrogate.network.config import ModelConfig
from hybrid_propagate.surrogate.network.response_model import ResponseModel, saved
from hybrid_propagate.surrogate.network.response_step import Rollout, state_width
from hybrid_propagate.surrogate.training import export as exporting
from hybrid_propagate.surrogate.training.export import ExportFailed, export
from small_model import with_readouts

CONFIG = ModelConfig(
    elements=(1, 8), members=2, latents=1, width=4, irreps="2x0e + 1x1o", layers=1, memory_width=4, context=2
)


NAMES = ("encode", "response", "step", "rollout")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network as hybrid-train writes it, with random read-outs."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    torch.save(
        {
            **saved(with_readouts(ResponseModel(CONFIG))),
            "trained_on": {"levels": ["pbe0_6-31g"], "base": "mean-field", "elements": [1, 8]},
        },
        path,
    )
    return path


@pytest.fixture(scope="module")
def graphs(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four, exported; `export` itself compares them with torch at three other sizes."""
    folder = tmp_path_factory.mktemp("graphs")
    said: list[str] = []
    paths = export(weights, folder, 2.5, 0.4, "float32", said.append)
    # What takes a minute each is told before it begins.
    assert [line.split(":")[0] for line in said if "traced" in line] == ["encode", "response", "step"]
    assert [line.rpartition(", ")[2] for line in said if "compared" in line] == [
        f"{number} of 4" for number in (1, 2, 3, 4)
    ]
    assert [path.name for path in paths] == [f"{name}.onnx" for name in NAMES]
    return folder


def test_metadata_tells_what_a_caller_needs(graphs: Path) -> None:
    for name in NAMES:
        session = onnxruntime.InferenceSession(graphs / f"{name}.onnx", providers=["CPUExecutionProvider"])
        metadata = session.get_modelmeta().custom_metadata_map
        assert metadata["tokens"] == "6x0e + 5x1o + 4x2e + 2x3o"
        assert metadata["elements"] == "1 8"
        assert metadata["members"] == "2"
        assert metadata["calibration"] == "2.5"
        assert len(metadata["weights"]) == 64


def test_rollout_of_a_length_never_traced(graphs: Path) -> None:
    """Nine time points through the Scan against torch's loop."""
    model = ResponseModel(CONFIG)
    inputs = exporting._example("rollout", model, 4, 6, 9)
    torch.manual_seed(0)
    expected = Rollout(ResponseModel(CONFIG).dynamics, 2.5)(*inputs)
    session = onnxruntime.InferenceSession(graphs / "rollout.onnx", providers=["CPUExecutionProvider"])
    assert inputs[-1].shape[1] == state_width(model.dynamics)
    feeds = {name: value.numpy() for name, value in zip(exporting._STEP_INPUTS, inputs, strict=True)}
    found = session.run(list(exporting._STEP_OUTPUTS), feeds)
    assert np.asarray(found[0]).shape == (9, 21)
    for ours, theirs in zip(expected[:2], found[:2], strict=True):
        np.testing.assert_allclose(np.asarray(theirs), ours.detach().numpy(), atol=1e-5)


def test_a_graph_that_differs_is_not_written(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_difference", lambda *_: 1e-3)
    monkeypatch.setattr(exporting, "_convert", lambda *_: exporting.onnx.ModelProto())
    monkeypatch.setattr(exporting, "_scanned", lambda step: step)
    with pytest.raises(ExportFailed, match=r"encode: differs from torch by 1.0e-03, allowed 2e-05"):
        export(weights, tmp_path, 1.0, 0.4, "float32", lambda line: None)
    assert list(tmp_path.iterdir()) == []
