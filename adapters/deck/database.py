"""What a deck has set so far, as NWChem's run-time database keeps it, and the system that a task works on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..free_format.errors import DeckError, Place
from ..system import DensityPlot, Geometry, System
from ..system.real_time import Load
from .basis import BasisInput, potentials_of, shells_of
from .deck import GroundStateTask
from .dft import DftSettings, ScfSettings
from .geometry import NamedGeometry
from .rt_tddft import RealTimeBlock
from .tddft import TddftSettings
from .xc import functional

_MAX_GEOMETRIES = 100
#: Settings that a deck with `restart` must give where nothing is left of the earlier run.
MAY_BE_ABSENT = ("geometry", "basis", "charge", "xc", "mult", "grid", "rt_tddft")
_LINES = {"charge": "a charge line", "ecp": "an ecp block", "occupations": "unset dft:* and a dft block"}
_IN_DFT = ("xc", "mult", "grid")


@dataclass
class Database:
    """Settings in force at the current line.

    keys: `rt_tddft:...` entries of `set`, with their places.
    written: systems whose orbitals the deck's tasks leave, by the name of the file.
    ready: the file of the last one.
    made: the ground states that these orbitals come from, by the name of the file.
    recalled: names of files of orbitals that the earlier run had left.
    densities: `tddft` blocks that made the densities of the deck's tasks, by the name of the file.
    driver: lines of the `driver` block, for NWChem.
    restarted: where `restart` stands; None without.
    occupations: of `occup`, by spin.
    absent: settings of the earlier run that are not known, and why; not those that the deck gives.
    """

    prefix: str
    restarted: Place | None = None
    charge: int = 0
    geometries: dict[str, NamedGeometry] = field(default_factory=dict)
    active: str | None = None
    bases: dict[str, BasisInput] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    dft: DftSettings = field(default_factory=DftSettings)
    scf: ScfSettings = field(default_factory=ScfSettings)
    tddft: TddftSettings = field(default_factory=TddftSettings)
    real_time: RealTimeBlock | None = None
    persistent: dict[str, Load] = field(default_factory=dict)
    keys: dict[str, tuple[str, Place]] = field(default_factory=dict)
    plot: DensityPlot | None = None
    written: dict[str, System] = field(default_factory=dict)
    ready: str | None = None
    made: dict[str, tuple[GroundStateTask, ...]] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)
    densities: dict[str, tuple[str, ...]] = field(default_factory=dict)
    driver: tuple[str, ...] = ()
    occupations: tuple[tuple[float, ...], ...] = ()
    absent: dict[str, str] = field(default_factory=dict)


def check_known(database: Database, names: Sequence[str], place: Place) -> None:
    """Raise DeckError where a setting that a task needs is that of an earlier run, and not known."""
    absent = [name for name in names if name in database.absent]
    if absent:
        missing = [_LINES.get(name, f"a block {name}") for name in absent if name not in _IN_DFT]
        if of_dft := [name for name in absent if name in _IN_DFT]:
            missing.append(f"{', '.join(of_dft)} in a block dft")
        text = f"restart {database.prefix}: this deck has not {', nor '.join(missing)}"
        reason = database.absent[absent[0]]
        raise DeckError(place, f"{text}, and {reason}; copy what is missing from the deck of the earlier run")


def of_earlier_run(database: Database) -> None:
    """Note that an earlier run has made all there is so far; how it came to that is not kept."""
    database.made = {name: tasks[-1:] for name, tasks in database.made.items()}
    database.recalled = set(database.made)


def active_geometry(database: Database, place: Place) -> Geometry:
    """The geometry of `set geometry`, else the unnamed one, else the only one; DeckError where unclear."""
    names = list(database.geometries)
    if not names:
        raise DeckError(place, "no geometry has been defined")
    name = database.active
    if name is None:
        name = "geometry" if "geometry" in names else names[0]
        if len(names) > 1 and name != "geometry":
            raise DeckError(
                place, f'several geometries and none active: say set geometry "{names[0]}" or another'
            )
    if name not in database.geometries:
        raise DeckError(place, f"geometry {name!r} has not been defined; defined: {' '.join(names)}")
    return database.geometries[name].geometry


def system(database: Database, place: Place, theory: str = "dft") -> System:
    """System that a task at `place` works on. Raises DeckError for what does not fit together."""
    wanted = ("geometry", "basis", "ecp", "charge", *(("xc", "mult", "grid") if theory == "dft" else ()))
    check_known(database, wanted, place)
    geometry = active_geometry(database, place)
    if len(database.geometries) > _MAX_GEOMETRIES:
        raise DeckError(place, f"more than {_MAX_GEOMETRIES} geometries")
    basis = _named_basis(database, "ao basis", place)
    if basis is None:
        raise DeckError(place, "no basis has been defined")
    ecp = _named_basis(database, "ecp basis", place)
    fitting = _named_basis(database, "cd basis", place)
    potentials = potentials_of(ecp, geometry) if ecp else {}
    multiplicity = database.dft.multiplicity if theory == "dft" else database.scf.multiplicity
    open_shell = database.dft.open_shell if theory == "dft" else database.scf.kind == "uhf"
    _check_electrons(database, geometry, potentials, multiplicity, place)
    if theory == "scf" and multiplicity > 1 and not open_shell:
        raise DeckError(
            database.scf.place or place,
            "restricted open-shell scf is not carried out; add uhf to the scf block",
        )
    return System(
        geometry=geometry,
        geometries=_all_geometries(database, geometry),
        basis=shells_of(basis, geometry),
        spherical=basis.spherical,
        ecp=potentials,
        fitting_basis=shells_of(fitting, geometry) if fitting else None,
        charge=database.charge,
        multiplicity=multiplicity,
        open_shell=open_shell,
        functional=database.dft.functional if theory == "dft" else functional(("hfexch",)),
        grid=database.dft.grid,
        fitting_spherical=fitting.spherical if fitting else False,
    )


def _all_geometries(database: Database, active: Geometry) -> tuple[Geometry, ...]:
    """Those defined, by name; to NWChem `geometry` is whatever `set geometry` names."""
    named = {name: one.geometry for name, one in database.geometries.items()}
    if "geometry" in named and active.name != "geometry":
        named["geometry"] = replace(active, name="geometry")
    return tuple(named.values())


def _named_basis(database: Database, role: str, place: Place) -> BasisInput | None:
    name = database.names.get(role, role)
    if name not in database.bases:
        if role in database.names:
            raise DeckError(place, f"{role} {name!r} has not been defined")
        return None
    return database.bases[name]


def _check_electrons(
    database: Database, geometry: Geometry, potentials: dict[str, Any], multiplicity: int, place: Place
) -> None:
    core = sum(potentials[tag][0] for tag in geometry.tags if tag in potentials)
    electrons = int(geometry.atomic_numbers.sum()) - core - database.charge
    if electrons < 1:
        raise DeckError(place, f"charge {database.charge} leaves {electrons} electrons")
    if (electrons - multiplicity + 1) % 2 or multiplicity > electrons + 1:
        raise DeckError(
            place, f"{electrons} electrons cannot have multiplicity {multiplicity}; see charge and mult"
        )
