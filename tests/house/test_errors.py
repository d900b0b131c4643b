"""One family of errors, in two branches."""

import ast
import importlib
from pathlib import Path

import hybrid_propagate as hp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("atomic", "adapters", "surrogate", "driver")


def error_classes() -> list[str]:
    """`module:name` of every class in the rooms that descends from an error by its name."""
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("**/*.py")):
            module = ".".join(("hybrid_propagate", *path.relative_to(ROOT).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    bases = [ast.unparse(base) for base in node.bases]
                    if any(base.endswith(("Error", "Exception", "BadInput", "Failed")) for base in bases):
                        found.append(f"{module}:{node.name}")
    return [name for name in found if not name.endswith(":HybridPropagateError")]


MEMBERS = error_classes()


def test_errors_are_found() -> None:
    assert len(MEMBERS) > 25
    assert "hybrid_propagate.adapters.free_format.errors:DeckError" in MEMBERS


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_is_of_one_branch(member: str) -> None:
    module, name = member.split(":")
    error = getattr(importlib.import_module(module), name)
    assert issubclass(error, hp.HybridPropagateError)
    assert issubclass(error, hp.BadInput) != issubclass(error, hp.Failed)
