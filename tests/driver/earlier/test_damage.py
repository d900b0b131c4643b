"""A thousand damages of a trajectory file: each is one line and exit code 2, or changes nothing."""

import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import h5py
import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.adapters.files.checksum import check_seal, seal
from hybrid_propagate.adapters.files.trajectory import Contents, TrajectoryError, read_contents
from hybrid_propagate.adapters.regular_file import RefusedFile
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.earlier.validity import check_contents
from hybrid_propagate.driver.exports.export import ENDINGS, export
from hybrid_propagate.driver.front_door.deck_runs import prepare, run_decks
from hybrid_propagate.driver.front_door.options import all_options
from hybrid_propagate.driver.loop.checkpoint import pack_checkpoint, unpack_checkpoint
from hybrid_propagate.driver.run import setup
from hybrid_propagate.driver.spectra.kicked_runs import read_kicked_runs
from hybrid_propagate.surrogate.surrogate import Surrogate

from tests.support.small_decks import kicked

HYDROGEN = "  H 0 0 0\n  H 0 0 0.74"
DECK = kicked(HYDROGEN, tmax=6.0, start="h", xc="slater", kick=0.02, steps="  nrestarts 0")
OPTIONS = {"surrogate": "response", "max_ml_steps": 5}
#: Of the damages to what only reads, every so many is tried: a file takes tenths of a second.
STEP = int(os.environ.get("DAMAGE_STEP", "60"))
#: Arrays whose loss changes no number of the trajectory to come.
UNUSED = ("tally", "spread", "surrogate", "pairs", "pair_dipoles", "pairs_kept")
#: A list of errors met so far: any length is one that a run may have.
ANY_LENGTH = "surrogate/image_errors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With h.nw, and h.h5 of a run that was stopped half-way."""
    folder = tmp_path_factory.mktemp("half")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("h.nw").write_text(DECK)
        asked = iter(range(100))
        runs = prepare("h.nw", None, all_options(OPTIONS), time.perf_counter())
        assert not run_decks(runs, lambda _: None, lambda: next(asked) == 3)
        shutil.copy("h.h5", "half.h5")
    return folder


class TakenUpError(Exception):
    """The checkpoint has been read, and nothing need follow."""


@pytest.fixture(scope="module")
def surrogate(folder: Path) -> Surrogate:
    """The one of the run that goes on; half.h5 stays as it is."""
    found: list[Surrogate] = []

    def noted(arrays: dict[str, np.ndarray], made: Surrogate) -> NoReturn:
        found.append(made)
        assert unpack_checkpoint(arrays, made).state.step > 0
        raise TakenUpError

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(setup, "unpack_checkpoint", noted)
        with pytest.raises(TakenUpError):
            hp.propagate("h.nw", restart=True, surrogate="response", max_ml_steps=5)
    return found[0]


def put(name: str, value: object) -> Callable[[h5py.File], None]:
    def spoil(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return spoil


def directed(file: h5py.File) -> Iterator[tuple[str, Callable[[h5py.File], None]]]:
    """Each data set and attribute, lost or replaced."""
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    for name in names:
        array = np.asarray(file[name])
        yield f"{name} lost", lambda f, n=name: f.__delitem__(n)
        yield f"{name} flat", put(name, np.zeros(array.size + 1))
        yield f"{name} text", put(name, b"{{")
        yield f"{name} elsewhere", put(name, h5py.ExternalLink("other.h5", f"/{name}"))
        yield f"{name} another's", put(name, h5py.SoftLink("/dynamics/time"))
        if array.dtype.kind in "fc":
            yield f"{name} no number", put(name, np.full(array.shape, np.nan))
            yield f"{name} endless", put(name, np.full(array.shape, np.inf))
            yield f"{name} other", put(name, array + 1.0)
    for name in file.attrs:
        for value in ("{", 3, np.nan, [1.0, 2.0]):
            yield f"{name} = {value}", lambda f, n=name, v=value: f.attrs.__setitem__(n, v)
        yield f"{name} lost", lambda f, n=name: f.attrs.__delitem__(n)


def refusal(run: Callable[[], object], branch: type[Exception] = hp.BadInput) -> str:
    """What is said of a file, which is one line; nothing where it is read."""
    try:
        run()
    except branch as error:
        return str(error)
    return ""


def test_what_another_program_spoils(folder: Path, tmp_path: Path) -> None:
    """Over 500 directed damages by h5py: none is gone on from."""
    path = tmp_path / "run.h5"
    with h5py.File(folder / "half.h5", "r") as file:
        damages = list(directed(file))
    print(f"{len(damages)} directed damages")
    assert len(damages) > 500
    for name, spoil in damages:
        shutil.copy(folder / "half.h5", path)
        with h5py.File(path, "a") as file:
            spoil(file)
        said = refusal(lambda: read_contents(path, to_go_on=True))
        assert re.fullmatch(rf"{re.escape(str(path))}: [^\n]+", said), name


def test_bits_and_ends(folder: Path, tmp_path: Path) -> None:
    """400 random damages of the bytes: bits, ends cut off, stretches of zeros, pieces exchanged."""
    path, whole, chance = tmp_path / "run.h5", (folder / "half.h5").read_bytes(), random.Random(13)
    for k in range(400):
        spoiled, place = bytearray(whole), chance.randrange(len(whole) - 600)
        if k % 4 == 0:
            spoiled[place] ^= 1 << chance.randrange(8)
        elif k % 4 == 1:
            del spoiled[place:]
        elif k % 4 == 2:
            spoiled[place : place + 512] = bytes(512)
        else:
            other = chance.randrange(len(whole) - 600)
            spoiled[place : place + 64], spoiled[other : other + 64] = whole[other:][:64], whole[place:][:64]
        path.write_bytes(spoiled)
        if spoiled == whole:
            continue
        with pytest.raises(RefusedFile):
            check_seal(path, needed=True)


def spoiled_arrays(array: np.ndarray) -> Iterator[np.ndarray | None]:
    yield None
    yield np.zeros(array.size + 1, array.dtype)
    yield np.zeros((*array.shape, 2), array.dtype)
    yield np.array(b"{{")
    if array.ndim > 1 and len(array):
        yield array[:-1]
    if array.dtype.kind in "fc":
        yield np.full(array.shape, np.nan)
        yield np.full(array.shape, np.inf)


def test_damage_behind_a_right_checksum(folder: Path, surrogate: Surrogate) -> None:
    """Each array that a restart takes up, lost, of another shape or kind, or without numbers."""
    path = folder / "half.h5"
    sound = read_contents(path, to_go_on=True)
    refused, harmless = 0, list[str]()
    for group in ("ground", "checkpoint", "series"):
        arrays = getattr(sound, group)
        for name in arrays:
            for broken in spoiled_arrays(np.asarray(arrays[name])):
                rest = {other: array for other, array in arrays.items() if other != name}
                changed = replace(sound, **{group: rest if broken is None else {**rest, name: broken}})
                if name == ANY_LENGTH or (broken is not None and np.array_equal(broken, arrays[name])):
                    # Of nothing nothing can be lost.
                    continue
                if takes_up(path, changed, surrogate):
                    harmless.append(name)
                else:
                    refused += 1
    print(f"{refused} refused; harmless: {harmless}")
    assert refused > 350
    assert set(harmless) <= set(UNUSED)


def takes_up(path: Path, contents: Contents, surrogate: Surrogate) -> bool:
    """Whether a run would go on, to the same trajectory then; refusals are of the kinds that it reports."""
    # Those that a restart reports as a checkpoint of another make.
    other_make = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError)
    try:
        check_contents(path, contents)
        progress = unpack_checkpoint(contents.checkpoint, surrogate)
    except (hp.BadInput, *other_make):
        return False
    for name, array in pack_checkpoint(progress, surrogate).items():
        if name not in UNUSED:
            np.testing.assert_array_equal(array, contents.checkpoint[name], err_msg=name)
    return True


def test_damaged_settings_behind_a_right_checksum(folder: Path) -> None:
    path = folder / "half.h5"
    sound = read_contents(path, to_go_on=True)
    for name in ("settings", "tmax", "dt", "complete", "n_steps"):
        for value in ("{", b"{{", np.nan, [1.0, 2.0]):
            with pytest.raises(TrajectoryError):
                check_contents(path, replace(sound, attributes={**sound.attributes, name: value}))
    for log in (b"{{", b"[1, 2]", b'["run.log"]', np.zeros(3)):
        with pytest.raises(TrajectoryError):
            check_contents(path, replace(sound, checkpoint={**sound.checkpoint, "log": np.array(log)}))


WHOLE_COMMANDS: dict[str, Callable[[h5py.File], None]] = {
    "no state": lambda f: f.__delitem__("checkpoint/state_step"),
    "no number": put("checkpoint/state_density", np.full((1, 2, 2), np.nan + 0j)),
    "a link": put("dynamics/time", h5py.ExternalLink("other.h5", "/time")),
    "no dynamics": lambda f: f.__delitem__("dynamics"),
    "fewer learned": put("checkpoint/surrogate/x0_k", np.zeros((1, 1))),
    "other points": put("dynamics/dipole", np.zeros((3, 3))),
}


@pytest.mark.parametrize("kind", WHOLE_COMMANDS)
@pytest.mark.parametrize("sealed", [False, True])
def test_the_whole_command(
    folder: Path, kind: str, sealed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line about the file, which stays as it was."""
    monkeypatch.chdir(folder)
    shutil.copy("half.h5", "h.h5")
    with h5py.File("h.h5", "a") as file:
        WHOLE_COMMANDS[kind](file)
    if sealed:
        seal(Path("h.h5"))
    before = Path("h.h5").read_bytes()
    assert main(["h.nw", "--surrogate", "response", "--max-ml-steps", "5", "--restart"]) == 2
    assert "h.h5: " in capsys.readouterr().err.splitlines()[-1]
    assert Path("h.h5").read_bytes() == before


def test_another_runs_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files exchanged between two folders."""
    monkeypatch.chdir(tmp_path)
    Path("h.nw").write_text(DECK.replace("0.74", "0.80"))
    shutil.copy(folder / "half.h5", "h.h5")
    assert main(["h.nw", "--surrogate", "response", "--max-ml-steps", "5", "--restart"]) == 2
    assert "made with other settings: geometry" in capsys.readouterr().err.splitlines()[-1]


def test_a_pipe_in_the_place_of_the_summary(folder: Path, tmp_path: Path) -> None:
    """Nobody waits for it: neither a spectrum's lines nor what Python asks of a run."""
    shutil.copy(folder / "half.h5", tmp_path / "run.h5")
    os.mkfifo(tmp_path / "run.json")
    os.mkfifo(tmp_path / "run.png")
    for ask in (
        lambda: read_kicked_runs(tmp_path / "run.h5"),
        lambda: hp.open_run(tmp_path / "run.h5").summary,
    ):
        assert "a named pipe, not a file" in refusal(ask)


def test_what_only_reads(folder: Path, tmp_path: Path) -> None:
    """Spectra, exports and Python's own reader on spoiled data sets, which need no checksum."""
    path = tmp_path / "run.h5"
    with h5py.File(folder / "half.h5", "r") as file:
        damages = [(name, spoil) for name, spoil in directed(file) if not name.startswith("checkpoint/")]
    said: list[str] = []
    for k, (name, spoil) in list(enumerate(damages))[::STEP]:
        shutil.copy(folder / "half.h5", path)
        with h5py.File(path, "a") as file:
            spoil(file)
        kind = list(ENDINGS)[k % len(ENDINGS)]
        ways: tuple[Callable[[], object], ...] = (
            lambda kind=kind: export(path, kind, tmp_path / "out"),
            lambda: read_kicked_runs(path),
            lambda: hp.open_run(path).to_pandas(),
        )
        for way in ways:
            said.append(refusal(way))
            assert "\n" not in said[-1], name
            assert not said[-1] or said[-1].startswith(str(path)), name
    refused = len(said) - said.count("")
    print(f"of {len(damages)} damages every {STEP}th read in three ways: {len(said)}, refused {refused}")
    assert 0 < said.count("") < len(said)
