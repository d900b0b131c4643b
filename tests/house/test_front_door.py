"""`import hybrid_propagate`: its names, and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import hybrid_propagate as hp
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", hp.__all__)
def test_every_public_name_leads_somewhere_and_says_what_it_is(name: str) -> None:
    assert getattr(hp, name).__doc__
    assert name in dir(hp)


def test_type_checkers_see_the_names_that_there_are() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text())
    seen = {
        alias.asname: f".{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
        if alias.asname is not None
    }
    assert seen == hp._MODULES
    assert sorted(seen) == sorted(hp.__all__)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="'hybrid_propagate' has no attribute 'propagator'"):
        _ = hp.propagator


def test_the_import_brings_nothing_but_itself() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\nimport hybrid_propagate\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = [name for name in ended.stdout.split() if not name.startswith("__editable__")]
    # What libraries look for around them is settled before any of them can be imported.
    own = ["hybrid_propagate", "hybrid_propagate.atomic", "hybrid_propagate.atomic.environment"]
    assert imported == own
