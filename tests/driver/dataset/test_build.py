"""`hybrid-dataset`: what it makes, that it goes on where it was, and what it refuses."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.dataset import main
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs

CONFIG = """
folder: data
seed: 3
levels: [{basis: STO-3G, xc: pbe0}]
geometries: {count: 4, displacement: [0.02, 0.1], validation: 0.25, test: 0.25}
pairs: {rotations: 3, visited: 2}
trajectories: {steps: 70, fields: [kick, pulse], keep: 2}
molecules:
  - H2
held_out:
  - {name: HeH+, charge: 1, atoms: "He 0 0 0\\nH 0 0 0.774"}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    (folder / "config.yaml").write_text(CONFIG)
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["config.yaml"]) == 0
    finally:
        os.chdir(before)
    return folder


def test_pairs_and_splits(made: Path) -> None:
    assert sorted(path.name for path in (made / "data/pairs").iterdir()) == [
        "H2_pbe0_sto-3g.h5",
        "HeH+_pbe0_sto-3g.h5",
    ]
    trained = read_pairs(made / "data/pairs/H2_pbe0_sto-3g.h5")
    assert trained.geometries.split.tolist() == [0, 0, 1, 2]
    assert trained.pairs.density.shape == (20, 1, 2, 2)
    assert np.bincount(trained.pairs.geometry).tolist() == [5, 5, 5, 5]
    assert np.bincount(trained.pairs.kind).tolist() == [12, 8]
    assert not trained.attributes["held_out"]
    unseen = read_pairs(made / "data/pairs/HeH+_pbe0_sto-3g.h5")
    assert unseen.attributes["held_out"]
    assert unseen.geometries.split.tolist() == [2, 2, 2, 2]


def test_trajectories_are_kept_in_the_usual_format(made: Path) -> None:
    """Dipole and trace from the stored densities."""
    names = sorted(path.name for path in (made / "data/trajectories").iterdir())
    assert names == [
        f"{molecule}_pbe0_sto-3g_g000{g}_0_{kind}.h5"
        for molecule in ("H2", "HeH+")
        for g, kind in ((0, "kick"), (1, "pulse"))
    ]
    pairs = read_pairs(made / "data/pairs/H2_pbe0_sto-3g.h5")
    with h5py.File(made / "data/trajectories/H2_pbe0_sto-3g_g0000_0_kick.h5") as file:
        P = np.asarray(file["dynamics/density_real"])[:, 0]
        S = np.asarray(file["matrices/overlap"])
        assert len(P) == 70
        np.testing.assert_allclose(np.einsum("tij,ji->t", P, S), 2.0, atol=1e-5)
        s, u = np.linalg.eigh(S)
        root = (u * np.sqrt(s)) @ u.T
        electronic = np.einsum("xij,tji->tx", pairs.geometries.dipole[0], root @ P @ root)
        moment = np.asarray(file["dynamics/dipole"])
        np.testing.assert_allclose(moment - moment[0], electronic[0] - electronic, atol=1e-5)
        assert np.abs(moment - moment[0]).max() > 1e-3


def test_it_goes_on_where_it_was(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost part is made again, the same in a process of its own; the others are left alone."""
    monkeypatch.chdir(made)
    parts = made / "data/parts/H2_pbe0_sto-3g"
    lost, kept = parts / "g0002.npz", parts / "g0001.npz"
    before, written = dict(np.load(lost)), kept.stat().st_mtime_ns
    lost.unlink()
    assert main(["config.yaml", "--jobs", "2"]) == 0
    after = dict(np.load(lost))
    assert kept.stat().st_mtime_ns == written
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-10, err_msg=name)


def test_another_sampling_is_refused(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made)
    (made / "other.yaml").write_text(CONFIG.replace("seed: 3", "seed: 4").replace("steps: 70", "steps: 71"))
    assert main(["other.yaml"]) == 2
    expected = (
        "hybrid-dataset: data: made with other seed, trajectories; choose another folder or remove this one\n"
    )
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("  - H2\n", "  - H2Oo\n"), "molecules: 1: ASE has no molecule 'H2Oo'"),
        (lambda text: text.replace("xc: pbe0", "xc: pbe00"), "levels: 1: xc: "),
        (lambda text: text.replace("STO-3G", "STO-33G"), "levels: 1: basis: no library set"),
        (lambda text: text.replace("seed", "seeed"), "seeed: unknown 'seeed'; accepted: folder"),
        (
            lambda text: text.replace("[kick, pulse]", "[kick, kik]"),
            "fields: 2: 'kik'",
        ),
        (lambda text: text.replace("H 0 0 0.774", "H 0 0"), "molecule HeH+: atoms are lines"),
        (lambda text: text.replace("folder: data", ""), "missing: folder"),
        (lambda text: text.replace("HeH+", "H2"), "two molecules of one name"),
        (lambda text: "levels: [", "not YAML"),
        (
            lambda text: text.replace("count: 4", "count: four"),
            "geometries: count: 'four'; accepted: a valid",
        ),
        (lambda text: text.replace("[0.02, 0.1]", "0.1"), "displacement: 0.1; accepted: a valid array"),
        (lambda text: text.replace("charge: 1", "charge: x"), "charge: 'x'; accepted: a valid"),
        (lambda text: text.replace("charge: 1", "charge: 2"), "HeH+: 1 electrons cannot have multiplicity 1"),
        (
            lambda text: text.replace("count: 4", "count: 0"),
            "geometries: count: 0; accepted",
        ),
        (lambda text: text.replace("[0.02, 0.1]", "[0.1, 0.02]"), "displacement: two lengths above 0"),
        (lambda text: text.replace("test: 0.25", "test: 0.95"), "shares of at most 1"),
        (
            lambda text: text.replace("steps: 70", "steps: 70, dt: 0"),
            "trajectories: dt: 0; accepted",
        ),
        (lambda text: text.replace("[kick, pulse]", "[]"), "trajectories: fields: "),
        (lambda text: text.replace("seed: 3", "seed: true"), "seed: True; accepted: a valid"),
    ],
)
def test_mistakes_are_told_in_one_line(
    change: Callable[[str], str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(change(CONFIG))
    assert main([str(path)]) == 2
    said = capsys.readouterr().err
    assert re.match(rf"hybrid-dataset: {re.escape(str(path))}:(\d+:)? ", said)
    assert message in said
    assert said.count("\n") == 1
