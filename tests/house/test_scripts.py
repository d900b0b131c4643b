"""Benchmarks and examples import what there is."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "benchmarks").glob("*/*.py"), *(ROOT / "examples").glob("*.py")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_script_imports_from_the_package_is_there(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hybrid_propagate"):
            module = importlib.import_module(str(node.module))
            # A module of a folder is a name of it only once something has imported it.
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert [name for name in missing if find_spec(f"{node.module}.{name}") is None] == []


def test_benchmarks_are_listed() -> None:
    """benchmarks/README.md names every script, and no other."""
    page = (ROOT / "benchmarks/README.md").read_text()
    scripts = {str(path.relative_to(ROOT / "benchmarks")) for path in SCRIPTS if "benchmarks" in path.parts}
    assert set(re.findall(r"^\| .* \| `(\S+\.py)` \|", page, re.MULTILINE)) == scripts


def test_tests_run_in_a_clone_of_any_name(tmp_path: Path) -> None:
    """`git clone` makes a folder `hybrid-propagate`, which is no name of a module to pytest and ruff."""
    clone = tmp_path / "hybrid-propagate"
    (clone / "tests").mkdir(parents=True)
    for name in ("__init__.py", "pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, clone / name)
    (clone / "tests" / "test_one.py").write_text("def test_one():\n    assert True\n")
    for words in (("pytest", "-q", "-p", "no:cacheprovider"), ("ruff", "check", "--no-cache", ".")):
        ended = subprocess.run(
            [sys.executable, "-m", *words], cwd=clone, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout
