"""Tasks of a deck: what is in force at a `task` line, made into what the engines carry out."""

from dataclasses import replace
from typing import Any, cast

import numpy as np

from ..free_format.errors import DeckError, Place, in_one
from ..free_format.lines import integer
from ..system import DipoleContributions, System
from ..system.real_time import Load, Quantity
from .absorbing import check_ranges
from .database import Database, check_known, system
from .deck import (
    DensityPlotTask,
    ExcitedDensityTask,
    GroundStateTask,
    LinearResponseTask,
    PropagationTask,
    Vectors,
)
from .dft import DftSettings, ScfSettings
from .filling import filling_of
from .rt_tddft import RealTimeBlock

_OF_EARLIER_RUN = "orbitals of the earlier run"
#: NWChem matches the atoms of a fragment to those of the active geometry within this distance, bohr.
MATCH = 1e-8


def ground_state(database: Database, place: Place, theory: str) -> GroundStateTask:
    """`task dft energy` or `task scf energy`; the orbitals it leaves become the start of later tasks."""
    check_known(database, ("occupations",), place)
    made = system(database, place, theory)
    settings = database.dft if theory == "dft" else database.scf
    vectors = settings.vectors or (Vectors("file", (database.ready,)) if database.ready else Vectors())
    if vectors.kind == "file" and database.written.get(vectors.files[0], made).n_basis != made.n_basis:
        vectors = Vectors()  # NWChem, too, falls back to the atomic guess when orbitals do not fit
    _check_fragments(database, vectors, made, place)
    _check_occupations(database, settings, made, place)
    output = settings.output or (vectors.files[0] if vectors.kind == "file" else f"{database.prefix}.movecs")
    database.written[output] = made
    database.ready = output
    after = Vectors("file", (output,))
    if isinstance(settings, DftSettings):
        database.dft = replace(settings, vectors=after, carried_out=True)
        energy, density, skip = settings.energy_tolerance, settings.density_tolerance, settings.skip
    else:
        database.scf = replace(settings, vectors=after)
        energy, density, skip = min(settings.threshold**2, 1e-6), settings.threshold, False
    lines = settings.nwchem_only_lines if isinstance(settings, DftSettings) else ()
    filling = None
    if isinstance(settings, DftSettings) and not skip:
        filling = filling_of(settings.smear, settings.fon, database.occupations, made, place)
        if filling is not None and settings.lock:
            raise DeckError(place, "max_ovl beside smear, fon or occup is not carried out: give one of them")
    task = GroundStateTask(
        place,
        made,
        vectors,
        output,
        energy,
        density,
        settings.max_iterations,
        skip,
        lines,
        database.occupations,
        isinstance(settings, DftSettings) and settings.lock,
        filling=filling,
    )
    _note(database, task)
    return task


def _note(database: Database, task: GroundStateTask) -> None:
    """Keep what the orbitals of a task come from; what the earlier run had left is one and the same."""
    files = task.vectors.files
    known = tuple(_OF_EARLIER_RUN if name in database.recalled else name for name in files)
    parts = [part for name in files if name not in database.recalled for part in database.made.get(name, ())]
    noted = replace(task, vectors=replace(task.vectors, files=known))
    database.made[task.output] = (*parts, noted)
    database.recalled.discard(task.output)


def optimization(database: Database, place: Place) -> GroundStateTask:
    """`task dft optimize`: the ground state of the geometry that NWChem ends at."""
    return replace(ground_state(database, place, "dft"), relax=database.driver)


def _check_occupations(
    database: Database, settings: DftSettings | ScfSettings, made: System, place: Place
) -> None:
    """`occup` is for orbitals that stay as they are; they must hold all electrons of the system."""
    if not database.occupations:
        return
    if not isinstance(settings, DftSettings):
        raise DeckError(place, "occup is carried out in task dft energy")
    if len(database.occupations) != made.n_spin:
        raise DeckError(place, f"occup has {len(database.occupations)} columns, the system {made.n_spin}")


def _check_fragments(database: Database, vectors: Vectors, made: System, place: Place) -> None:
    """Fragment orbitals that this deck itself writes must add up; other files are the engine's to judge."""
    parts = [database.written[name] for name in vectors.files if name in database.written]
    if vectors.kind != "fragment" or len(parts) < len(vectors.files):
        return
    total = sum(part.n_basis for part in parts)
    if total != made.n_basis:
        names = " ".join(vectors.files)
        raise DeckError(place, f"fragments {names} have {total} basis functions, the system {made.n_basis}")


def linear_response(database: Database, place: Place) -> LinearResponseTask:
    """`task tddft energy`."""
    made = system(database, place)
    settings = database.tddft
    if settings.obstacles:
        raise in_one(settings.obstacles)
    if not (made.open_shell or settings.singlet or settings.triplet):
        raise DeckError(place, "tddft: nosinglet and notriplet leave nothing to do")
    if filling_of(database.dft.smear, database.dft.fon, (), made, place) is not None:
        raise DeckError(place, "task tddft from fractional occupations (smear, fon) is not carried out")
    kinds = (settings.singlet, settings.triplet, settings.tamm_dancoff)
    return LinearResponseTask(place, made, _orbitals_in_force(database), settings.n_roots, *kinds)


def excited_density(database: Database, place: Place) -> ExcitedDensityTask:
    """`task tddft gradient`."""
    made, settings = system(database, place), database.tddft
    if settings.obstacles:
        raise in_one(settings.obstacles)
    if made.open_shell:
        raise DeckError(place, "task tddft gradient of an open shell is not carried out")
    vectors, output = _orbitals_in_force(database), f"{database.prefix}.dmat"
    database.densities[output] = settings.lines()
    return ExcitedDensityTask(place, made, vectors, output, settings.lines(), database.dft.nwchem_only_lines)


def density_plot(database: Database, place: Place) -> DensityPlotTask:
    """`task dplot`: the density of orbitals on a box of points."""
    plot = database.plot
    if plot is None or not plot.spacings:
        raise DeckError(place, "task dplot needs a dplot block with limitxyz before it")
    return DensityPlotTask(place, system(database, place), plot.vectors or _orbitals_in_force(database), plot)


def _orbitals_in_force(database: Database) -> str:
    """Name of the file that a task without an SCF takes its orbitals from."""
    settings = database.dft.vectors
    vectors = settings.files[0] if settings and settings.kind == "file" else database.ready
    return vectors or f"{database.prefix}.movecs"


def propagation(database: Database, place: Place) -> PropagationTask:
    """`task dft rt_tddft` with everything in force."""
    block = database.real_time
    check_known(database, ("rt_tddft",), place)
    if block is None:
        raise DeckError(place, "task dft rt_tddft needs an rt_tddft block before it")
    made = system(database, place)
    if database.ready is None and database.restarted is None:
        raise DeckError(place, "no ground state to start from: put task dft energy before task dft rt_tddft")
    real_time = replace(block.real_time, load=_load(database, block), **_extra_keys(database, block))
    shown = real_time.visualization
    if shown is not None and shown.dplot:
        if database.plot is None:
            raise DeckError(block.place, "visualization dplot needs a dplot block")
        if not database.plot.spacings:
            raise DeckError(block.place, "visualization dplot needs limitxyz in the dplot block")
        real_time = replace(real_time, visualization=replace(shown, plot=database.plot))
    _check_excitations(made, block)
    if real_time.spatial_cap is not None:
        check_ranges(real_time.spatial_cap, made.geometry, block.blocks_at["spatialcap"])
    vectors = _orbitals_in_force(database)
    wanted = real_time.load.files[0] if real_time.load.kind == "vectors" else vectors
    _check_orbitals(wanted, database.written.get(wanted, made), made, place)
    excited = database.densities.get(real_time.load.files[0], ()) if real_time.load.files else ()
    lines, grounds = database.dft.nwchem_only_lines, database.made.get(wanted, ())
    return PropagationTask(place, made, real_time, vectors, lines, grounds, excited)


def _check_orbitals(name: str, of: System, made: System, place: Place) -> None:
    """Whether a propagation of one system can start from the orbitals of another, as in NWChem."""
    if of.n_basis != made.n_basis:
        raise DeckError(
            place, f"orbitals {name} have {of.n_basis} basis functions, the system {made.n_basis}"
        )
    if of.open_shell != made.open_shell:
        raise DeckError(place, other_spin_treatment(name, of.n_spin, made.n_spin))


def other_spin_treatment(name: str, n_sets: int, n_spin: int) -> str:
    """Why a propagation with `n_spin` densities cannot start from `n_sets` sets of orbitals."""
    shell = {1: "closed-shell", 2: "open-shell"}
    return (
        f"orbitals {name} are {shell[n_sets]} and the propagation is {shell[n_spin]}: NWChem stops; "
        "put task dft energy behind the dft block with odft or mult"
    )


def _load(database: Database, block: RealTimeBlock) -> Load:
    """Where to start: what this block loads, or what an earlier one did and no `unset` took back."""
    if block.load is not None:
        database.persistent[block.load.kind] = block.load
    for kind in ("restart", "vectors"):
        if kind in database.persistent:
            return database.persistent[kind]
    return block.load or Load()


def _extra_keys(database: Database, block: RealTimeBlock) -> dict[str, Any]:
    """What `set rt_tddft:...` adds to the block."""
    values: dict[str, Any] = {}
    quantities = block.real_time.quantities
    flags = {name: _logical(database, name) for name in ("magnus_skipinterpol", "print_dipcontribs")}
    if flags["magnus_skipinterpol"]:
        values["skip_interpolation"] = True
    if flags["print_dipcontribs"]:
        quantities |= {cast(Quantity, "dipcontribs")}
    if "dipcontribs" in quantities:
        if "dipcontrib:pol" in database.keys:
            values["dipole_contributions"] = _contributions(database)
        elif block.everything:
            quantities -= {cast(Quantity, "dipcontribs")}
        else:
            raise DeckError(block.place, "print dipcontribs needs set rt_tddft:dipcontrib:pol 1, 2 or 3")
    return {**values, "quantities": quantities}


def _logical(database: Database, name: str) -> bool:
    if name not in database.keys:
        return False
    text, place = database.keys[name]
    if text.lower() not in (".true.", ".false.", "true", "false", "t", "f"):
        raise DeckError(place, f"rt_tddft:{name} must be .true. or .false., not {text!r}")
    return text.lower().lstrip(".").startswith("t")


def _contributions(database: Database) -> DipoleContributions:
    def number(name: str) -> int | None:
        if f"dipcontrib:{name}" not in database.keys:
            return None
        text, place = database.keys[f"dipcontrib:{name}"]
        value = integer(text)
        if value is None or value < 1 or (name == "pol" and value > 3):
            raise DeckError(place, f"rt_tddft:dipcontrib:{name} cannot be {text!r}")
        return value

    def window(mo: str) -> tuple[int, int] | None:
        low, high = number(f"{mo}min"), number(f"{mo}max")
        if low is None and high is None:
            return None
        low, high = low or 1, high or 0
        if high and high < low:
            raise DeckError(
                database.keys[f"dipcontrib:{mo}max"][1], f"rt_tddft:dipcontrib:{mo}max is below {mo}min"
            )
        return low, high

    return DipoleContributions((number("pol") or 1) - 1, window("mo1"), window("mo2"))


def _check_excitations(made: System, block: RealTimeBlock) -> None:
    """Geometries and spins that the fields act on, against the system."""
    by_name = {geometry.name: geometry for geometry in made.geometries}
    active = made.geometry
    for geometry in made.geometries:
        if geometry.n_atoms > active.n_atoms:
            text = f"geometry {geometry.name!r} has more atoms than the active one, {active.name!r}"
            raise DeckError(block.place, text)
    for rule, place in zip(block.real_time.excitations, block.excitations_at, strict=True):
        if rule.geometry not in by_name:
            known = " ".join(by_name)
            raise DeckError(place, f"excite: unknown geometry {rule.geometry!r}; defined: {known}")
        fragment = by_name[rule.geometry]
        gaps = np.linalg.norm(fragment.positions[:, None] - active.positions[None], axis=-1)
        if not np.any(gaps < MATCH):
            text = f"excite: no atom of geometry {rule.geometry!r} coincides with one of {active.name!r}"
            raise DeckError(place, f"{text} (nocenter on both?)")
    for field in block.real_time.fields:
        if field.spin != "total" and not made.open_shell:
            text = (
                f"field {field.name!r}: spin {field.spin} needs an open shell (odft or mult); accepted: total"
            )
            raise DeckError(block.fields_at[field.name], text)
