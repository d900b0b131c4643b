"""The tutorial, the page on Python and the README's example run, and print what they show.

A block with a title is a file. In a `console` block each line after `$` is a command, the lines below it are
what it prints. A `text` block is what the `python` block above it prints. Of what is printed every line shown
must come, in order; `…` stands for anything. Numbers may differ by 2 in the last digit shown, counts by 5 %.
"""

import contextlib
import io
import math
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is, if any, and its text."""

    kind: str
    title: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(kind, title, text) for kind, title, text in FENCE.findall((ROOT / page).read_text())]


def alike(shown: str, printed: str) -> bool:
    """Whether a printed line is the one shown, but for spaces and the last digits."""
    parts = re.split(f"({NUMBER})", shown.strip())
    pattern = "".join(f"({NUMBER})" if i % 2 else _words(part) for i, part in enumerate(parts))
    found = re.fullmatch(pattern, printed.strip())
    return found is not None and all(map(_close, parts[1::2], found.groups()))


def _words(text: str) -> str:
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(text)).replace("…", ".*?")


def _close(shown: str, printed: str) -> bool:
    a, b = float(shown), float(printed)
    if shown.isdigit():
        return abs(a - b) <= max(1.0, 0.05 * a)
    digits = len(re.sub(r"[eE].*|\D", "", shown).lstrip("0"))
    return math.isclose(a, b, rel_tol=max(2.0 * 10.0 ** (1 - digits), 1e-6))


def missing(shown: str, printed: str) -> list[str]:
    """Lines shown that are not printed in that order."""
    left = iter(printed.splitlines())
    wanted = [line for line in shown.splitlines() if line.strip() not in ("", "…")]
    return [line for line in wanted if not any(alike(line, other) for other in left)]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def run(command: str) -> str:
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))
    ended = subprocess.run(
        command,
        shell=True,
        env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.mark.parametrize(
    "page",
    [
        "docs/tutorial.md",
        "docs/python.md",
        "docs/campaigns.md",
        "docs/pump_probe.md",
        "docs/neural/rollout.md",
        "README.md",
    ],
)
def test_a_page_does_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for deck in ("water.nw", "examples/water.nw"):
        Path(deck).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples/water.nw", deck)
    names: dict[str, object] = {}
    printed = ""
    found = blocks(page)
    assert found
    for block in found:
        if block.title:
            Path(block.title).write_text(block.text)
        elif block.kind == "console":
            for command, shown in commands(block.text):
                assert missing(shown, run(command)) == [], command
        elif block.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block.text, page, "exec"), names)
            printed = out.getvalue()
        else:
            assert block.kind == "text"
            assert missing(block.text, printed) == [], printed


def test_the_tutorial_s_lines_are_those_of_linear_response() -> None:
    """Extrapolated to no time step they agree within 2 meV and 1 %; the test above holds the table true."""
    (block,) = (block for block in blocks("docs/tutorial.md") if "task tddft (eV)" in block.text)
    row = re.compile(r"±… +[xyz] +(\d+\.\d+) +(\d\.\d+) +\S+ +\d+ % +(\d+\.\d+) +(\d\.\d+)$", re.MULTILINE)
    rows = [tuple(map(float, found)) for found in row.findall(block.text)]
    assert len(rows) == 6
    for energy, strength, root, expected in rows:
        assert energy == pytest.approx(root, abs=2e-3)
        assert strength == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("error 1.4e-04 meets", "  error   1.5e-04 meets", True),
        ("error 1.4e-04 meets", "error 2.4e-04 meets", False),
        ("10.298 eV", "10.299 eV", True),
        ("10.298 eV", "10.398 eV", False),
        ("11 Fock builds", "12 Fock builds", True),
        ("11 Fock builds", "14 Fock builds", False),
        ("(999,) (999, 3)", "(999,) (999, 3)", True),
        ("written: a …", "written: a b c", True),
        ("written: a …", "read: a b c", False),
    ],
)
def test_lines_are_compared_loosely_but_truly(shown: str, printed: str, *, same: bool) -> None:
    assert alike(shown, printed) is same
