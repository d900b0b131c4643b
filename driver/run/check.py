"""What a deck asks for and cannot be carried out, found before any time is spent."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from ...adapters.deck import (
    Deck,
    DeckError,
    DensityPlotTask,
    ExcitedDensityTask,
    GroundStateTask,
    LinearResponseTask,
    Place,
    PropagationTask,
    Task,
)
from ...adapters.deck.tasks import other_spin_treatment
from ...adapters.free_format.errors import in_one
from ...adapters.nwchem.movecs import find_movecs, orbital_sets
from ...adapters.nwchem.process import command_words, nwchem_command
from ...atomic.errors import BadInput


def check_deck(deck: Deck, engine: str, prior: Path | None) -> None:
    """Refuse what cannot be carried out. Raises DeckError, PriorError."""
    refused = list(refusals(deck, engine, prior))
    of_deck = [refusal for refusal in refused if isinstance(refusal, DeckError)]
    if refused:
        raise in_one(of_deck) if of_deck else refused[0]


def refusals(deck: Deck, engine: str, prior: Path | None) -> Iterator[BadInput]:
    """Every task that cannot be carried out by an engine, each with its first reason."""
    if engine == "nwchem" and not deck.propagations:
        place = deck.tasks[-1].place
        yield DeckError(place, "--engine nwchem is for propagations; NWChem makes these ground states itself")
    made: set[str] = set()
    for task in deck.tasks:
        try:
            _check_task(task, made, deck, engine, prior)
        except BadInput as error:
            yield error
        if isinstance(task, GroundStateTask | ExcitedDensityTask):
            made.add(task.output)


def _check_task(task: Task, made: set[str], deck: Deck, engine: str, prior: Path | None) -> None:
    """made: orbitals that earlier tasks leave. Raises DeckError, PriorError, MovecsError."""
    _check_functional(task, engine)
    match task:
        case GroundStateTask():
            _check_ground_state(task, made, deck, engine)
            if task.relax is not None:
                _check_nwchem(task, "task dft optimize", "the geometry that it ends at")
        case PropagationTask():
            _check_propagation(task, made, deck)
            if engine == "nwchem" and any(f.recorded is not None for f in task.real_time.fields):
                raise DeckError(
                    task.place, "field type file is carried out with --engine pyscf; NWChem stops"
                )
            if prior is not None:
                _check_prior(task, prior)
        case ExcitedDensityTask() | LinearResponseTask() | DensityPlotTask():
            if task.vectors not in made:
                _check_file(task.vectors, task.place, deck)
            if isinstance(task, ExcitedDensityTask) and engine == "pyscf":
                _check_nwchem(task, "task tddft gradient", "the density that it left (load density)")


def _check_functional(task: Task, engine: str) -> None:
    """What only NWChem has needs NWChem, also for the linear response, which is computed here."""
    wanted = task.system.functional
    if wanted.stand_in and (engine == "pyscf" or isinstance(task, LinearResponseTask)):
        hint = "" if isinstance(task, LinearResponseTask) else "; accepted with --engine nwchem"
        raise DeckError(task.place, f"xc {wanted.directive} is not carried out by PySCF{hint}")


def _check_ground_state(task: GroundStateTask, made: set[str], deck: Deck, engine: str) -> None:
    for name in task.vectors.files:
        if name in made:
            continue
        _check_file(name, task.place, deck)
        if task.vectors.kind == "fragment" and engine == "pyscf":
            raise DeckError(task.place, f"fragment {name}: only fragments that this deck makes can be joined")


def _check_propagation(task: PropagationTask, made: set[str], deck: Deck) -> None:
    load, real_time = task.real_time.load, task.real_time
    if load.kind == "density":
        for name in load.files:
            if name not in made and find_movecs(name, deck.permanent_dir) is None:
                raise DeckError(task.place, f"load density {name}: there is no such file")
    name = load.files[0] if load.kind == "vectors" else task.vectors
    if name not in made:
        n_sets = orbital_sets(_check_file(name, task.place, deck))
        if n_sets != task.system.n_spin:
            raise DeckError(task.place, other_spin_treatment(name, n_sets, task.system.n_spin))
    if real_time.absorbing and real_time.propagator != "magnus":
        raise DeckError(task.place, "mocap and spatialcap need the magnus propagator here")
    if real_time.absorbing and real_time.check_level > 1:
        raise DeckError(task.place, "checklvl 2 and 3 stop at an absorbing potential; accepted: checklvl 1")


def _check_nwchem(task: ExcitedDensityTask | GroundStateTask, what: str, instead: str) -> None:
    words = command_words(nwchem_command())
    if not words or shutil.which(words[0]) is None:
        raise DeckError(
            task.place,
            f"{what} is made by an installed NWChem, and there is none; accepted: "
            f"one on PATH or in NWCHEM_COMMAND, or {instead}",
        )


def _check_prior(task: PropagationTask, prior: Path) -> None:
    # Not before it is needed: PySCF takes longer to import than a deck to check.
    from ...surrogate.on_the_fly.earlier_run import read_earlier_run
    from .options import physics_of

    if task.system.functional.stand_in:
        raise DeckError(task.place, "--prior needs a functional that PySCF has")
    read_earlier_run(prior, physics_of(task.system), task.system)


def _check_file(name: str, place: Place, deck: Deck) -> Path:
    path = find_movecs(name, deck.permanent_dir)
    if path is None:
        raise DeckError(
            place, f"orbitals {name}: there is no such file, and no task dft energy before makes them"
        )
    return path
