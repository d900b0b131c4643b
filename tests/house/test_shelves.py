"""How shelves are kept: few files each, a README, no name twice, small functions, heavy libraries where they
belong, tests beside what they test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("atomic", "adapters", "surrogate", "driver")
FILES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for room in ROOMS
    for path in sorted((ROOT / room).glob("**/*.py"))
}
SHELVES = sorted({path.rpartition("/")[0] for path in FILES if path.count("/") == 2})

#: Where a library may be imported; everywhere else it would make what is light heavy.
HOMES = {
    "torch": {"surrogate/network", "surrogate/training"},
    "pyscf": {
        "adapters/files",
        "adapters/pyscf",
        "atomic/study",
        "adapters/system",
        "atomic/solver",
        "driver/baselines",
        "driver/campaign",
        "driver/dataset",
        "driver/pictures",
        "driver/run",
        "driver/warmstart",
        "surrogate/kernel",
        "surrogate/on_the_fly",
        "surrogate/runtime",
        "surrogate/starting_density",
        "surrogate/training",
    },
}
#: Longest function, and most parameters of one, itself left out. Tables of options may be longer.
LINES, PARAMETERS = 60, 6
#: Tests of a whole shelf.
WHOLE = {
    "adapters/deck": {"bounds", "broken", "fuzz", "what_changes_nothing"},
    "adapters/nwchem": {"engine_faults"},
    "atomic/solver": {"digits", "reference_tables"},
    "driver/earlier": {"damage"},
    "driver/spectra": {"short_pulse"},
    "surrogate/network": {"mamba_ssm_scan"},
    "surrogate/on_the_fly": {"nonlinear_part"},
}


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_has_three_to_sixteen_files(shelf: str) -> None:
    files = [path for path in FILES if path.startswith(f"{shelf}/") and not path.endswith("__init__.py")]
    assert 3 <= len(files) <= 16, files


def test_no_class_name_stands_twice() -> None:
    places: dict[str, list[str]] = {}
    for path, tree in FILES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(path)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_stay_at_home(library: str) -> None:
    """Imports for types alone are none."""
    found = {path.rpartition("/")[0] for path, tree in FILES.items() if library in imported(tree)}
    assert found <= HOMES[library]


def imported(tree: ast.AST) -> Iterator[str]:
    """Names of libraries imported anywhere but under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
        else:
            yield from imported(node)


@pytest.mark.parametrize("path", [p for p in FILES if p.endswith("__init__.py")])
def test_a_folder_says_in_three_lines_what_belongs_there(path: str) -> None:
    readme = (ROOT / path).with_name("README.md")
    lines = readme.read_text().splitlines()
    assert 1 <= len(lines) <= 3
    assert all(lines)


def test_functions_are_short_and_take_few_parameters() -> None:
    large = [
        f"{path}:{name}"
        for path, tree in FILES.items()
        for name, lines, parameters in functions(tree)
        if (lines > LINES and "parser" not in name) or parameters > PARAMETERS
    ]
    assert large == []


def functions(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Name, lines and parameters; Triton's kernels are none: they take bare pointers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any("triton" in ast.unparse(decorator) for decorator in node.decorator_list):
            continue
        given = node.args
        names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        end = node.end_lineno or node.lineno
        yield node.name, end - node.lineno + 1, len(names) - (names[:1] in (["self"], ["cls"]))


def test_a_test_stands_beside_what_it_tests() -> None:
    """tests/<room>/<shelf>/test_<file>.py, but for those of a whole shelf."""
    wrong = []
    for path in sorted(tests for room in ROOMS for tests in (ROOT / "tests" / room).glob("**/test_*.py")):
        shelf = path.parent.relative_to(ROOT / "tests").as_posix()
        name = path.stem.removeprefix("test_")
        if f"{shelf}/{name}.py" not in FILES and name not in WHOLE.get(shelf, ()):
            wrong.append(path.relative_to(ROOT).as_posix())
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch.nn", ["torch"]),
        ("from pyscf.gto import M", ["pyscf"]),
        ("def f():\n    import torch", ["torch"]),
        ("if TYPE_CHECKING:\n    import torch", []),
        ("from .torch import x", []),
    ],
)
def test_libraries_are_seen_in_every_form(source: str, found: list[str]) -> None:
    assert list(imported(ast.parse(source))) == found


def test_functions_are_measured() -> None:
    source = "class A:\n    def f(self, a, *, b=1):\n        return a\n\n\n@triton.jit\ndef g(a, b, c): ...\n"
    assert list(functions(ast.parse(source))) == [("f", 2, 2)]
