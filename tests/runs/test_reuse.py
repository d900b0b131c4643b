"""`--prior` and multi-frame files: runs that learn from earlier ones."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.run import surrogates
from small_decks import kicked

ATOMS = "O 0 0 {z}\nH 0.02 0.7572 -0.4692\nH 0 -0.7572 -0.4692"
#: Weaker kicks have nothing to learn (`surrogate/weak_fields`).
KICK = 4e-3
Run = Callable[..., subprocess.CompletedProcess[str]]


def write_deck(path: Path, z: float, xc: str = "xtpss03 ctpss03") -> None:
    path.write_text(kicked(ATOMS.format(z=z), start="h2o", xc=xc, kick=KICK, tmax=6.0))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory, propagate_in: Run) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    write_deck(folder / "deck.nw", 0.1173)
    assert propagate_in(folder, "deck.nw", "--tol", "1e-4").returncode == 0
    return folder / "h2o.h5"


def summary(path: Path) -> dict:
    return json.loads(path.read_text())


def test_a_prior_saves_fock_builds(earlier: Path, tmp_path: Path, propagate_in: Run) -> None:
    """Oxygen moved by 0.02 Å; the same trajectory, to the tolerance, as without."""
    write_deck(tmp_path / "deck.nw", 0.1373)
    assert propagate_in(tmp_path, "deck.nw", "--tol", "1e-4").returncode == 0
    plain = summary(tmp_path / "h2o.json")["fock_builds"]
    with h5py.File(tmp_path / "h2o.h5") as file:
        expected = np.asarray(file["dynamics/dipole"])
    ended = propagate_in(tmp_path, "deck.nw", "--tol", "1e-4", "--prior", str(earlier))
    assert ended.returncode == 0, ended.stderr
    assert summary(tmp_path / "h2o.json")["fock_builds"] < plain
    with h5py.File(tmp_path / "h2o.h5") as file:
        found = np.asarray(file["dynamics/dipole"])
    signal = expected - expected[0]
    assert np.linalg.norm(found - expected) < 2e-4 * np.linalg.norm(signal)


def test_frames_learn_from_those_before(tmp_path: Path, propagate_in: Run) -> None:
    write_deck(tmp_path / "deck.nw", 0.1173)
    frames = [f"3\nframe\n{ATOMS.format(z=z)}\n" for z in (0.1173, 0.1223, 0.1123)]
    (tmp_path / "frames.xyz").write_text("".join(frames))
    began = time.perf_counter()
    ended = propagate_in(tmp_path, "deck.nw", "frames.xyz", "--tol", "1e-4")
    took = time.perf_counter() - began
    assert ended.returncode == 0, ended.stderr
    # Each frame is named, and counts its own seconds: together no more than there were.
    assert all(f"h2o_{k}: " in ended.stderr for k in (1, 2, 3))
    assert sum(summary(tmp_path / f"h2o_{k}.json")["wall_seconds"] for k in (1, 2, 3)) <= took
    builds = [summary(tmp_path / f"h2o_{k}.json")["fock_builds"] for k in (1, 2, 3)]
    assert max(builds[1:]) < builds[0]
    for k, z in enumerate((0.1173, 0.1223, 0.1123), start=1):
        with h5py.File(tmp_path / f"h2o_{k}.h5") as file:
            np.testing.assert_allclose(np.asarray(file["geometry/positions"])[0, 2], z, atol=1e-9)
    # A finished series is left as it is.
    written = (tmp_path / "h2o_3.h5").stat().st_mtime_ns
    assert propagate_in(tmp_path, "deck.nw", "frames.xyz", "--tol", "1e-4", "--restart").returncode == 0
    assert (tmp_path / "h2o_3.h5").stat().st_mtime_ns == written


def test_a_decks_propagations_share_one_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two geometries with two kicks each, two kernels; the second kick runs as it does alone."""
    monkeypatch.chdir(tmp_path)
    decks = [kicked(ATOMS.format(z=z), start="h2o", kick=KICK, tmax=2.0) for z in (0.1173, 0.1273)]
    first, head = (deck.replace("rt_tddft\n", 'rt_tddft\n  tag "z"\n', 1) for deck in decks)
    second = (
        first[first.index("rt_tddft") :].replace("polarization z", "polarization y").replace('"z"', '"y"')
    )
    third = head[head.index("geometry") :].replace('tag "z"', 'tag "far z"')
    again = "unset rt_tddft:*\n"
    fourth = second.replace('tag "y"', 'tag "far y"')
    Path("deck.nw").write_text("".join([first, again, second, again, third, again, fourth]))
    with patch.object(surrogates, "analytic_kernel", wraps=surrogates.analytic_kernel) as made:
        assert main(["deck.nw", "--save-density", "0"]) == 0
    assert made.call_count == 2
    alone = first.replace("polarization z", "polarization y").replace("start h2o", "start alone")
    Path("alone.nw").write_text(alone)
    assert main(["alone.nw", "--save-density", "0"]) == 0
    found, expected = (dipole(Path(name)) for name in ("h2o_y.h5", "alone.h5"))
    # Directions that the first kick has taught differ below the tolerance.
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected - expected[0])


def test_a_decks_weak_kicks_share_the_rest_of_other_irreps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One build finds it for all; the last kick runs as it does alone."""
    monkeypatch.chdir(tmp_path)
    atoms = "O 0 0 0.1173\nH 0 0.7572 -0.4692\nH 0 -0.7572 -0.4692"
    alone = kicked(atoms, start="alone", kick=1e-4, tmax=4.0)
    assert alone.count("polarization z") == 1
    head, kick = alone.replace("start alone", "start h2o").split("rt_tddft\n", 1)
    kicks = [
        f'rt_tddft\n  tag "{axis}"\n' + kick.replace("polarization z", f"polarization {axis}")
        for axis in "xyz"
    ]
    Path("deck.nw").write_text(head + "unset rt_tddft:*\n".join(kicks))
    Path("alone.nw").write_text(alone)
    with patch.object(surrogates, "eta_at_rest", wraps=surrogates.eta_at_rest) as made:
        assert main(["deck.nw"]) == 0
        assert made.call_count == 1
    assert [summary(Path(f"h2o_{axis}.json"))["mean_field_builds"] for axis in "xyz"] == [1, 0, 0]
    assert main(["alone.nw"]) == 0
    found, expected = dipole(Path("h2o_z.h5")), dipole(Path("alone.h5"))
    assert np.linalg.norm(found - expected) < 1e-9 * np.linalg.norm(expected - expected[0])


def test_kicks_of_a_deck_have_their_kernels_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all irreps that any of them moves; each kick's trajectory is that of a deck with it alone."""
    monkeypatch.chdir(tmp_path)
    atoms = "O 0 0 0.1173\nH 0 0.7572 -0.4692\nH 0 -0.7572 -0.4692"
    decks = [kicked(atoms, start="h2o", kick=1e-4, tmax=4.0, polarization=axis) for axis in "xyz"]
    several = decks[0]
    for axis, deck in zip("yz", decks[1:], strict=True):
        block = deck[deck.index("rt_tddft\n") :].replace("rt_tddft\n", f'rt_tddft\n  tag "{axis}"\n', 1)
        several += f"\nunset rt_tddft:*\n{block}"
    Path("several.nw").write_text(several)
    with patch.object(surrogates, "pair_kernel", wraps=surrogates.pair_kernel) as made:
        assert main(["several.nw"]) == 0
    assert made.call_count == 1
    names = sorted(path.name for path in Path().glob("*.h5"))
    assert len(names) == 3
    for axis, deck in zip("xyz", decks, strict=True):
        Path("alone.nw").write_text(deck.replace("start h2o", "start alone"))
        Path("alone.h5").unlink(missing_ok=True)
        assert main(["alone.nw", "--restart"]) == 0
        expected = dipole(Path("alone.h5"))
        found = [dipole(Path(name)) for name in names]
        size = np.linalg.norm(expected - expected[0])
        assert min(np.linalg.norm(own - expected) for own in found) < 1e-9 * size, axis


def test_kernels_are_kept_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another kick of the same ground state makes none; its trajectory is as without the folder."""
    monkeypatch.chdir(tmp_path)
    for name, kick in (("first", 2e-4), ("later", 1e-4), ("plain", 1e-4)):
        Path(f"{name}.nw").write_text(kicked(ATOMS.format(z=0.1173), start=name, kick=kick, tmax=4.0))
    with patch.object(surrogates, "pair_kernel", wraps=surrogates.pair_kernel) as made:
        assert main(["first.nw", "--kernels", "kept"]) == 0
        assert made.call_count == 1
        kept = sorted(Path("kept").iterdir())
        assert kept
        assert main(["later.nw", "--kernels", "kept"]) == 0
        assert made.call_count == 1
        assert main(["plain.nw"]) == 0
        assert made.call_count == 2
    assert sorted(Path("kept").iterdir()) == kept
    np.testing.assert_array_equal(dipole(Path("later.h5")), dipole(Path("plain.h5")))
    kept[0].write_bytes(kept[0].read_bytes()[:-200])
    Path("later.h5").unlink()
    capsys.readouterr()
    assert main(["later.nw", "--kernels", "kept"]) == 2
    assert "remove it" in capsys.readouterr().err.splitlines()[-1]


def dipole(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return np.asarray(file["dynamics/dipole"])


@pytest.mark.parametrize(
    ("xc", "arguments", "message"),
    [
        ("pbe0", ["--prior", "{earlier}"], "h2o.h5: a run with other xc than the deck's"),
        ("pbe0", ["--prior", "deck.nw"], "deck.nw: not the trajectory file of a run"),
        ("pbe0", ["--prior", "{earlier}", "--surrogate", "none"], "--prior is for --surrogate response and"),
        ("pbe0", ["other.xyz"], "frame 1 has other atoms than the deck"),
        ("pbe0", ["none.xyz"], "none.xyz: no xyz file that can be read"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    xc: str, arguments: list[str], message: str, earlier: Path, tmp_path: Path, propagate_in: Run
) -> None:
    write_deck(tmp_path / "deck.nw", 0.1173, xc)
    (tmp_path / "other.xyz").write_text("2\n\nH 0 0 0\nH 0 0 0.7\n")
    ended = propagate_in(tmp_path, "deck.nw", *(word.format(earlier=earlier) for word in arguments))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert message in ended.stderr
    # Beside the first line, which tells what would run, where the deck was sound.
    assert ended.stderr.count("\n") <= 2
