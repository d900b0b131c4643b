"""What shapes a trajectory, and whether an existing file was made with the same."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck import GroundStateTask, PropagationTask
from ...adapters.system import RealTime, Shells, System
from ...surrogate.runtime.session import Device
from ..earlier.changes import START
from ..loop.segment import Limits


@dataclass(frozen=True)
class Options:
    """The command line.

    surrogate: auto, response, rollout, neural, hybrid or none.
    tolerance: trajectory error wanted, relative.
    max_ml_steps: most surrogate steps between two anchors, 20 times as many of weak motion.
    limits: where a surrogate segment is broken off.
    memory: bytes for integrals, grids and the kernel.
    restart: go on from `<start>.h5`.
    save_density: every how many points the density is stored, 0 for never; None: by its size.
    started: `time.perf_counter()` when the command began.
    engine: pyscf or nwchem.
    nwchem: the command that runs NWChem.
    keep_scratch: leave NWChem's own files.
    report: write `<start>.html` too.
    prior: trajectory file of an earlier run.
    kernels: folder where kernels of weak motion are kept, and taken from.
    orbitals: trajectory file of a run whose orbitals the SCF starts from, as it does from those of `prior`.
    device: where the network or the graph runs.
    weights: folder of the network's graphs; None: the shipped ones.
    weights_hash: what its weights are.
    frames: this is one of several runs of the deck.
    alone: the run has a figure and lines of its own, and the deck's are printed.
    """

    surrogate: str
    tolerance: float
    max_ml_steps: int
    limits: Limits
    memory: float
    restart: bool
    save_density: int | None
    started: float
    engine: str = "pyscf"
    nwchem: str = "nwchem"
    keep_scratch: bool = False
    report: bool = False
    prior: Path | None = None
    kernels: Path | None = None
    orbitals: Path | None = None
    device: Device = "auto"
    weights: Path | None = None
    weights_hash: str | None = None
    frames: bool = False
    alone: bool = True


def physics_of(system: System) -> dict[str, str]:
    """What a system is, as text by name, for comparisons."""
    fitting = {} if system.fitting_basis is None else {"cd basis": _fitting(system, system.fitting_basis)}
    return _as_text(
        {
            **fitting,
            "geometry": np.round(system.geometry.positions, 10).tolist(),
            "basis": {tag: system.basis[tag] for tag in system.geometry.tags},
            "ecp": {tag: str(value) for tag, value in system.ecp.items()},
            "spherical": system.spherical,
            "charge": system.charge,
            "multiplicity": system.multiplicity,
            "odft": system.open_shell,
            "xc": system.functional.directive if system.functional.stand_in else system.functional.pyscf,
            "grid": system.grid,
        }
    )


def _fitting(system: System, basis: Mapping[str, Shells]) -> dict[str, object]:
    return {"spherical": system.fitting_spherical, **{tag: basis[tag] for tag in system.geometry.tags}}


def same_level(a: System, b: System) -> bool:
    """Whether the reference code is the same for both."""
    return physics_of(a) == physics_of(b)


def fingerprint(task: PropagationTask, options: Options) -> dict[str, str]:
    """Everything that shapes the trajectory, as text, for the comparison at a restart."""
    control = {
        "--engine": options.engine,
        "--surrogate": options.surrogate,
        "--prior": options.prior,
        "--weights": options.weights_hash,
        "--tol": options.tolerance,
        "--max-ml-steps": options.max_ml_steps,
        "--max-uncertainty, --max-trace-error, --max-hermiticity-error": asdict(options.limits),
    }
    start = _as_text({START: _start_of(task, options.engine)})
    return {**physics_of(task.system), **real_time_of(task.real_time), **_as_text(control), **start}


def _start_of(task: PropagationTask, engine: str) -> dict[str, object]:
    """How the orbitals or the density that a propagation starts from are made.

    Fragments have the name of their file before each setting. NWChem alone takes the lines kept for it.
    """
    load, nwchem = task.real_time.load, engine == "nwchem"
    found: dict[str, object] = {
        "start: load": " ".join((load.kind, *load.files)) if load.files else None,
        "start: tddft": task.excited or None,
        "propagation: dft": task.nwchem_only_lines if nwchem else None,
    }
    for ground in task.grounds:
        last = ground is task.grounds[-1]
        settings = _scf_of(ground)
        settings["dft"] = _without_filling(ground.nwchem_only_lines) if nwchem else None
        like = physics_of(task.system) if last else {}
        for name, value in physics_of(ground.system).items():
            same = value == like.get(name)
            shown = ground.system.functional.directive if name == "xc" else json.loads(value)
            settings[name] = None if same else shown
        lead = "" if last else f"{ground.output}: "
        found |= {f"{lead}{name}": value for name, value in settings.items()}
    return found


def _scf_of(ground: GroundStateTask) -> dict[str, object]:
    """What of a ground state is not its system, by the deck's words; None is NWChem's default."""
    vectors, filling = ground.vectors, ground.filling
    pairs = [f"{i + 1} {j + 1}" for i, j in vectors.swapped]
    kind = () if vectors.kind == "file" else (vectors.kind,)
    filled = filling.occupations if filling is not None and not ground.occupations else ()
    return {
        "smear": filling.smear or None if filling is not None else None,
        "fon": filled or None,
        "occup": ground.occupations or None,
        "max_ovl": ground.lock,
        "noscf": ground.skip,
        "vectors input": None if vectors.kind == "atomic" else " ".join((*kind, *vectors.files)),
        "vectors swap": " ".join((("alpha", "beta")[vectors.swapped_spin], *pairs)) if pairs else None,
    }


def _without_filling(lines: tuple[str, ...]) -> list[str]:
    return [line for line in lines if line.split()[0] not in ("smear", "fon", "max_ovl")]


def real_time_of(real_time: RealTime) -> dict[str, str]:
    """What the `rt_tddft` block has to do with the trajectory, as text by name."""
    steps = {
        name: value
        for name, value in asdict(real_time).items()
        if name not in ("tmax", "quantities", "tag", "load")
    }
    return _as_text({**steps, "fields": sorted(str(f) for f in real_time.fields)})


def _as_text(values: Mapping[str, object]) -> dict[str, str]:
    return {name: json.dumps(value, default=str, sort_keys=True) for name, value in values.items()}
