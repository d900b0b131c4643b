"""The house itself: rooms import downwards only, one version everywhere, commands that start at once."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("atomic", "adapters", "surrogate", "driver")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMANDS = tuple(PROJECT["scripts"])
#: What a command may need half a second for, and so must not touch before it knows what to do.
HEAVY = ("torch", "numpy", "scipy", "pyscf", "h5py", "matplotlib", "ase", "rich", "basis_set_exchange")


def imported_rooms(source: str, room: str, depth: int = 1) -> Iterator[str]:
    """Rooms that a file of `room` imports from; `hybrid_propagate` where it spells the package's name out.

    depth: 1 in the room itself, 2 in a folder of it.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            if 1 <= node.level <= depth:
                yield room
            elif node.level == depth + 1:
                yield from (name.split(".")[0] for name in names)
            elif node.level == 0:
                yield from (name.split(".")[0] for name in names if name.startswith("hybrid_propagate"))
        elif isinstance(node, ast.Import):
            named = (alias.name.split(".")[0] for alias in node.names)
            yield from (name for name in named if name == "hybrid_propagate")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_downwards_only(room: str) -> None:
    below = ROOMS[: ROOMS.index(room) + 1]
    files = sorted((ROOT / room).glob("**/*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)} imports from {other}"
        for path in files
        for other in imported_rooms(path.read_text(), room, len(path.relative_to(ROOT).parts) - 1)
        if other not in below
    ]
    assert wrong == []


#: The shelves of each room; each imports only from those before it.
SHELVES: dict[str, tuple[str, ...]] = {
    "atomic": ("nucleus", "solver", "study", "commands"),
    "adapters": ("system", "rtdb", "free_format", "deck", "log", "files", "pyscf", "nwchem"),
    "surrogate": (
        "matrices",
        "kernel",
        "nonlinear",
        "starting_density",
        "samples",
        "on_the_fly",
        "weak_fields",
        "rollout",
        "runtime",
        "own_steps",
        "network",
        "training",
    ),
    "driver": (
        "propagators",
        "baselines",
        "spectra",
        "exports",
        "warmstart",
        "pictures",
        "estimate",
        "loop",
        "page",
        "reporters",
        "nwchem",
        "executors",
        "dataset",
        "earlier",
        "answer",
        "run",
        "graphs",
        "pump_probe",
        "forecast",
        "front_door",
        "campaign",
        "bench",
        "commands",
    ),
}


@pytest.mark.parametrize("room", ROOMS)
def test_shelves_import_downwards_only(room: str) -> None:
    order = SHELVES[room]
    wrong = [
        f"{path.relative_to(ROOT)} imports from {other}"
        for shelf in order
        for path in sorted((ROOT / room / shelf).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 2
        for other in ([node.module] if node.module else [alias.name for alias in node.names])
        if other.split(".")[0] in order[order.index(shelf) + 1 :]
    ]
    assert wrong == []


def test_every_shelf_is_named_and_packaged() -> None:
    folders = [
        path.parent.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).glob("**/__init__.py")
    ]
    assert {str(path) for path in folders} == {
        *ROOMS,
        *(f"{r}/{shelf}" for r in ROOMS for shelf in SHELVES[r]),
    }
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {".".join(("hybrid_propagate", *path.parts)) for path in folders}
    assert set(setuptools["packages"]) == {"hybrid_propagate", *packages}
    # One folder for all: relative imports lead to the same place in the repository and where it is installed.
    assert setuptools["package-dir"] == {"hybrid_propagate": "."}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from ..driver.loop import run", ["driver"]),
        ("from .. import surrogate", ["surrogate"]),
        ("from .field import Field", ["adapters"]),
        ("import hybrid_propagate.driver.loop.hybrid", ["hybrid_propagate"]),
        ("def f():\n    from hybrid_propagate.driver.loop import hybrid as loop", ["hybrid_propagate"]),
        ("import numpy as np", []),
    ],
)
def test_imports_are_seen_in_every_form(line: str, found: list[str]) -> None:
    assert list(imported_rooms(line, "adapters")) == found


def test_version_is_the_same_everywhere() -> None:
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    newest = re.search(r"^## (\S+) – \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert citation is not None
    assert newest is not None
    stated = {
        "pyproject.toml": PROJECT["version"],
        "installed": importlib.metadata.version("hybrid-propagate"),
        "CITATION.cff": citation[1],
        "CHANGELOG.md": newest[1],
    }
    assert set(stated.values()) == {PROJECT["version"]}, stated


def test_constraints_pin_what_is_needed() -> None:
    """Every requirement, extras included, has its version in constraints.txt."""
    pinned = {
        _normal(line.split("==")[0])
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = PROJECT["optional-dependencies"]
    needed = [
        *PROJECT["dependencies"],
        *(
            need
            for extra in ("bench", "cluster", "docs", "pandas", "test", "train")
            for need in extras[extra]
        ),
    ]
    names = {_normal(re.split(r"[<>=!~\[; ]", name)[0]) for name in needed} - {"hybrid-propagate"}
    missing = names - pinned
    assert missing == set()


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_the_installed_program(command: str) -> None:
    program = Path(sysconfig.get_path("scripts")) / command
    ended = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(f"usage: {command}")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_nothing_heavy(command: str) -> None:
    module, function = PROJECT["scripts"][command].split(":")
    code = (
        "import sys\n"
        f"from {module} import {function}\n"
        f"try:\n    {function}(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('imported:', *sorted(name for name in sys.modules if '.' not in name))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = ended.stdout.rpartition("imported: ")[2].split()
    assert "argparse" in imported
    assert set(imported) & set(HEAVY) == set()
