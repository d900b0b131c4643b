"""One family of errors, in two branches."""

import ast
import importlib
from pathlib import Path

import hybrid_propagate as hp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("atomic", "adapters", "surrogate", "driver")


def raised_classes() -> dict[str, str]:
    """Module and base of every class in the rooms that is named as an error or descends from one, by file."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("**/*.py")):
            module = ".".join(("hybrid_propagate", *path.relative_to(ROOT).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    for base in node.bases:
                        name = ast.unparse(base)
                        if name.endswith(("Error", "Exception")) or name in ("BadInput", "Failed"):
                            found[f"{module}:{node.name}"] = name
    return found


FOUND = raised_classes()
MEMBERS = sorted(set(FOUND) - {f"hybrid_propagate.atomic.errors:{n}" for n in ("HybridPropagateError",)})


def test_no_error_stands_outside_the_family() -> None:
    assert len(MEMBERS) > 25
    assert {FOUND[name] for name in MEMBERS} == {"HybridPropagateError", "BadInput", "Failed"}


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_is_of_one_branch(member: str) -> None:
    module, name = member.split(":")
    error = getattr(importlib.import_module(module), name)
    assert issubclass(error, hp.HybridPropagateError)
    assert issubclass(error, hp.BadInput) != issubclass(error, hp.Failed)
