"""Pieces are measured, kept, found again, and never half there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hybrid_propagate.driver.bench.pieces import Piece, PieceFailed, python, run_piece, sources_digest

COUNT = "import pathlib; p = pathlib.Path('deck.nw'); pathlib.Path('out').write_text(p.read_text().upper())"


def piece(code: str, text: str = "deck") -> Piece:
    return Piece("case/step", {"deck.nw": text}, (sys.executable, "-c", code))


def test_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    said: list[str] = []
    first = run_piece(tmp_path, piece(COUNT), "abc", said.append)
    assert (first.folder / "out").read_text() == "DECK"
    assert len(said) == 2
    again = run_piece(tmp_path, piece(COUNT), "other", said.append)
    assert again == first
    assert again.sources == "abc"
    assert len(said) == 2


def test_another_deck_or_command_is_run(tmp_path: Path) -> None:
    run_piece(tmp_path, piece(COUNT), "abc", lambda _: None)
    changed = run_piece(tmp_path, piece(COUNT, "other"), "abc", lambda _: None)
    assert (changed.folder / "out").read_text() == "OTHER"
    changed = run_piece(tmp_path, piece(COUNT + "; pathlib.Path('more').touch()", "other"), "abc", print)
    assert (changed.folder / "more").exists()


def test_a_failure_says_its_last_line_and_is_not_kept(tmp_path: Path) -> None:
    code = "import sys; print('first', file=sys.stderr); print('it went wrong', file=sys.stderr); sys.exit(3)"
    with pytest.raises(PieceFailed, match=r"^case/step: exit code 3: it went wrong$"):
        run_piece(tmp_path, piece(code), "abc", lambda _: None)
    assert not (tmp_path / "case/step").exists()
    # What ran before it and failed leaves nothing in the way.
    assert (run_piece(tmp_path, piece(COUNT), "abc", lambda _: None).folder / "out").exists()


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PieceFailed, match="no-such-program: No such file"):
        run_piece(tmp_path, Piece("case/step", {}, ("no-such-program",)), "abc", lambda _: None)


def test_time_and_memory_are_those_of_the_process(tmp_path: Path) -> None:
    busy = (
        "import time\nwhile time.process_time() < 0.4: pass\nblock = bytearray(150_000_000)\ntime.sleep(0.3)"
    )
    heavy = run_piece(tmp_path, piece(busy), "abc", lambda _: None)
    light = run_piece(
        tmp_path, Piece("case/light", {}, (sys.executable, "-c", "pass")), "abc", lambda _: None
    )
    assert 0.4 < heavy.cpu < heavy.wall
    assert light.peak < 60e6 < 150e6 < heavy.peak < 300e6


def test_the_work_folder_stands_in_for_its_word(tmp_path: Path) -> None:
    run_piece(tmp_path, piece(COUNT), "abc", lambda _: None)
    code = (
        "import sys, pathlib; pathlib.Path('seen').write_text(pathlib.Path(sys.argv[1], 'out').read_text())"
    )
    reader = Piece("case/reader", {}, (sys.executable, "-c", code, "{folder}/case/step"))
    assert (run_piece(tmp_path, reader, "abc", lambda _: None).folder / "seen").read_text() == "DECK"


def test_killed_at_any_moment_only_the_running_piece_is_lost(tmp_path: Path) -> None:
    driver = f"""
import sys
from pathlib import Path
from hybrid_propagate.driver.bench.pieces import Piece, run_piece
for key, code in (("done", "pass"), ("running", "open('half', 'w').close(); import time; time.sleep(60)")):
    run_piece(Path({str(tmp_path)!r}), Piece(key, {{}}, (sys.executable, "-c", code)), "abc", print)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", driver], stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60.0
    while not (tmp_path / ".running.part/half").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (tmp_path / "done/piece.json").exists()
    assert not (tmp_path / "running").exists()
    kept = run_piece(tmp_path, Piece("done", {}, (sys.executable, "-c", "pass")), "other", print)
    assert kept.sources == "abc"


def test_modules_of_the_driver_are_run_by_this_python() -> None:
    assert python("bench.worker", "x") == (sys.executable, "-m", "hybrid_propagate.driver.bench.worker", "x")
    assert len(sources_digest()) == 8
