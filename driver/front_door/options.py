"""What may be asked of a propagation: the options of `hybrid-propagate`, and the keywords of `propagate`.

One table makes both. The command writes hyphens for underscores: `max_ml_steps` is `--max-ml-steps`.
"""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypedDict

from ...atomic.errors import BadInput
from .option_values import count, count_or_none, positive

#: What may stand in for the reference code; none: nothing.
SURROGATES = ("response", "rollout", "neural", "hybrid", "none")


class OptionError(BadInput, TypeError):
    """An option that there is not, a value that it does not take, or one that the others leave no use for."""


class PropagationKeywords(TypedDict, total=False):
    """The keywords and their types, for type checkers; `OPTIONS` tells what they mean."""

    tol: float
    max_ml_steps: int
    engine: Literal["pyscf", "nwchem"]
    nwchem: str | None
    keep_scratch: bool
    surrogate: Literal["auto", "response", "rollout", "neural", "hybrid", "none"]
    device: Literal["auto", "cpu", "cuda", "tensorrt"]
    weights: Path | str | None
    prior: Path | str | None
    kernels: Path | str | None
    restart: bool
    report: bool
    save_density: int | None
    memory: float | None
    threads: int | None
    max_uncertainty: float
    max_trace_error: float
    max_hermiticity_error: float


@dataclass(frozen=True)
class Option:
    """One row of the table.

    name: the keyword.
    accepts: reads a value from its text or raises ArgumentTypeError; the words to choose from; or None for a
        switch, which is False unless given.
    meaning: for `--help`, with argparse's %(default)s.
    default: the value where none is given.
    value: what stands for the value in `--help`.
    """

    name: str
    accepts: Callable[[str], Any] | tuple[str, ...] | None
    meaning: str
    default: Any = None
    value: str | None = None

    @property
    def flag(self) -> str:
        """How the command spells it."""
        return "--" + self.name.replace("_", "-")


ENGINE = Option("engine", ("pyscf", "nwchem"), "reference code (default %(default)s)", "pyscf")
NWCHEM = Option(
    "nwchem",
    str,
    "how to run NWChem, e.g. 'mpirun -np 4 nwchem' (default: NWCHEM_COMMAND, else nwchem)",
    value="COMMAND",
)
OPTIONS = (
    Option("tol", positive, "trajectory error wanted, relative (default %(default)g)", 1e-3, "ERROR"),
    Option(
        "max_ml_steps",
        count,
        "most surrogate steps at a stretch, 20 times that if weak (default %(default)s)",
        500,
        "N",
    ),
    ENGINE,
    NWCHEM,
    Option("keep_scratch", None, "keep NWChem's own files", False),
    Option(
        "surrogate",
        ("auto", *SURROGATES),
        "response: the Fock response learned on the fly; rollout: steps by a graph in ONNX Runtime; "
        "neural: a trained network; hybrid: learned on the fly from the network on; none: reference steps "
        "alone; auto: hybrid where a network that corrects the analytic kernel ships for the deck's level, "
        "else response (default %(default)s)",
        "auto",
    ),
    Option(
        "device",
        ("auto", "cpu", "cuda", "tensorrt"),
        "where the network or the graph runs; auto: CUDA where it works, else the CPU (default %(default)s)",
        "auto",
    ),
    Option("weights", Path, "graphs of hybrid-export, in place of the shipped ones", value="FOLDER"),
    Option(
        "prior",
        Path,
        "start from what an earlier run (.h5) of the molecule learned, at any geometry",
        value="FILE",
    ),
    Option(
        "kernels",
        Path,
        "keep kernels of weak motion there and take them from there, for runs that differ in field or time",
        value="FOLDER",
    ),
    Option("restart", None, "go on from <start>.h5", False),
    Option("report", None, "write <start>.html too, a page that tells about the run", False),
    Option(
        "save_density",
        count_or_none,
        "store the density at every Nth point, 0 for never (default: all, where that takes less than 64 MB)",
        value="N",
    ),
    Option(
        "memory",
        positive,
        "memory for integrals, grids and the kernel (default: half of what there is)",
        value="MB",
    ),
    Option("threads", count, "threads (default: as many as pay for the molecule's size)", value="N"),
)
#: Those that end a surrogate segment.
THRESHOLDS = (
    Option("max_uncertainty", positive, "spread (default %(default)g)", 0.05, "X"),
    Option("max_trace_error", positive, "relative change of the trace (default %(default)g)", 0.02, "X"),
    Option("max_hermiticity_error", positive, "relative (default %(default)g)", 0.01, "X"),
)


def all_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every option by name: as given, and read as the command reads its text, else its default.

    Raises OptionError for a name that there is not and a value that is not accepted.
    """
    table = {option.name: option for option in (*OPTIONS, *THRESHOLDS)}
    for name in given:
        if name not in table:
            # A flag is as good a hint as a keyword.
            near = get_close_matches(name.replace("-", "_"), table, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(table)}"
            raise OptionError(f"no option {name}; {hint}")
    return {
        name: _read(option, given[name]) if name in given else option.default
        for name, option in table.items()
    }


def _read(option: Option, value: object) -> object:
    """The value itself, checked. Raises OptionError."""
    accepts = option.accepts
    if value is None and option.default is None:
        return None
    if accepts is None:
        if not isinstance(value, bool):
            raise OptionError(f"{option.name}: {value!r}; accepted: True, False")
        return value
    if isinstance(accepts, tuple):
        if value not in accepts:
            raise OptionError(f"{option.name}: {value!r}; accepted: {', '.join(accepts)}")
        return value
    try:
        return accepts(str(value))
    except ArgumentTypeError as error:
        raise OptionError(f"{option.name}: {error}") from error


def check_use(options: Mapping[str, Any]) -> None:
    """Refuse an option that the others leave nothing to do for. Raises OptionError."""
    surrogate, nwchem = options["surrogate"], options["engine"] == "nwchem"
    for name, given, of_use, what in (
        (
            "--prior",
            options["prior"],
            surrogate in ("auto", "response", "rollout"),
            "--surrogate response and rollout",
        ),
        (
            "--kernels",
            options["kernels"],
            surrogate in ("auto", "response", "rollout") and not nwchem,
            "--engine pyscf with --surrogate response and rollout",
        ),
        ("--weights", options["weights"], surrogate in ("neural", "hybrid"), "--surrogate neural and hybrid"),
        (
            "--device",
            options["device"] != "auto",
            surrogate not in ("response", "none"),
            "--surrogate rollout, neural and hybrid",
        ),
        ("--nwchem", options["nwchem"], nwchem, "--engine nwchem"),
        ("--keep-scratch", options["keep_scratch"], nwchem, "--engine nwchem"),
    ):
        if given and not of_use:
            raise OptionError(f"{name} is for {what}")
