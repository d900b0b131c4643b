"""The one table behind the command's options and Python's keywords."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import hybrid_propagate as hp
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import _parser
from hybrid_propagate.driver.front_door.options import (
    OPTIONS,
    THRESHOLDS,
    Option,
    OptionError,
    PropagationKeywords,
    all_options,
    check_use,
)

TABLE = {option.name: option for option in (*OPTIONS, *THRESHOLDS)}


def parsed(*arguments: str) -> dict[str, Any]:
    """Options of a run as the command reads them; not those that run nothing."""
    given = vars(_parser().parse_args(["deck.nw", *arguments]))
    other = ("deck", "frames", "log", "check", "json", "list")
    return {name: value for name, value in given.items() if name not in other}


def test_command_and_keywords_have_the_same_options_and_defaults() -> None:
    assert all_options({}) == parsed()


@pytest.mark.parametrize(
    ("keywords", "arguments"),
    [
        ({"tol": 1e-2, "max_ml_steps": 20}, ("--tol", "1e-2", "--max-ml-steps", "20")),
        ({"tol": np.float64(0.01), "max_ml_steps": np.int64(20)}, ("--tol", "0.01", "--max-ml-steps", "20")),
        ({"restart": True, "report": False}, ("--restart",)),
        ({"prior": Path("a.h5"), "weights": "b"}, ("--prior", "a.h5", "--weights", "b")),
        ({"save_density": 0, "memory": 500}, ("--save-density", "0", "--memory", "500")),
        ({"save_density": None, "nwchem": None}, ()),
        (
            {"engine": "nwchem", "nwchem": "mpirun nwchem"},
            ("--engine", "nwchem", "--nwchem", "mpirun nwchem"),
        ),
    ],
)
def test_keywords_are_read_as_the_command_s(keywords: dict[str, Any], arguments: tuple[str, ...]) -> None:
    assert all_options(keywords) == parsed(*arguments)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"tolerance": 1e-3}, "no option tolerance; did you mean tol?"),
        ({"max-ml-steps": 10}, "no option max-ml-steps; did you mean max_ml_steps?"),
        ({"uncertainty": 1}, "no option uncertainty; did you mean max_uncertainty?"),
        ({"xyz": 1}, "no option xyz; there are: tol, max_ml_steps, "),
        ({"tol": 0}, "tol: '0' is not a positive number"),
        ({"tol": None}, "tol: 'None' is not a positive number"),
        ({"max_ml_steps": 2.5}, "max_ml_steps: '2.5' is not a whole number from 1 on"),
        ({"save_density": True}, "save_density: 'True' is not a whole number from 0 on"),
        ({"engine": "gaussian"}, "engine: 'gaussian'; accepted: pyscf, nwchem"),
        ({"surrogate": None}, "surrogate: None; accepted: auto, response, rollout, neural, hybrid, none"),
        ({"restart": 1}, "restart: 1; accepted: True, False"),
    ],
)
def test_what_is_no_option_and_no_value(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        hp.propagate("nowhere.nw", **keywords)
    assert str(caught.value).startswith(message)
    assert isinstance(caught.value, hp.BadInput)
    # As any function does for a keyword that it has not.
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"prior": "a.h5", "surrogate": "none"}, "--prior is for --surrogate response and rollout"),
        ({"weights": "folder"}, "--weights is for --surrogate neural and hybrid"),
        (
            {"device": "cuda", "surrogate": "response"},
            "--device is for --surrogate rollout, neural and hybrid",
        ),
        (
            {"kernels": "folder", "engine": "nwchem"},
            "--kernels is for --engine pyscf with --surrogate response and rollout",
        ),
        (
            {"kernels": "folder", "surrogate": "none"},
            "--kernels is for --engine pyscf with --surrogate response and rollout",
        ),
        ({"nwchem": "mpirun nwchem"}, "--nwchem is for --engine nwchem"),
        ({"keep_scratch": True}, "--keep-scratch is for --engine nwchem"),
    ],
)
def test_options_that_the_others_leave_no_use_for(keywords: dict[str, Any], message: str) -> None:
    check_use(all_options({}))
    with pytest.raises(hp.BadInput, match=f"^{message}$"):
        check_use(all_options(keywords))


def test_type_checkers_know_each_keyword() -> None:
    hints = get_type_hints(PropagationKeywords)
    assert list(hints) == list(TABLE)
    for name, option in TABLE.items():
        if isinstance(option.accepts, tuple):
            assert set(get_args(hints[name])) == set(option.accepts)
        assert (type(None) in get_args(hints[name])) == (option.default is None)


@pytest.mark.parametrize("option", TABLE.values(), ids=lambda option: option.name)
def test_the_docstring_tells_each_keyword_and_its_default(option: Option) -> None:
    lines = [line.strip() for line in (hp.propagate.__doc__ or "").splitlines()]
    (line,) = (line for line in lines if line.startswith(option.name) or f", {option.name} (" in line)
    if option.default is not None:
        default = f'"{option.default}"' if isinstance(option.default, str) else option.default
        assert f"{option.name} ({default})" in line.replace("1e-3", "0.001")
