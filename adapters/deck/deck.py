"""An NWChem input deck: the tasks it asks for, in order, each with everything in force when it runs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..free_format.errors import Place
from ..system import DensityPlot, RealTime, System
from ..system.filling import Filling


@dataclass(frozen=True)
class Vectors:
    """`vectors input`: `atomic` and `hcore` guesses, the orbitals of a file, or fragments put together.

    swapped: pairs of orbitals, counted from 0, that change places; swapped_spin: of alpha (0) or beta (1).
    """

    kind: Literal["atomic", "hcore", "file", "fragment"] = "atomic"
    files: tuple[str, ...] = ()
    swapped: tuple[tuple[int, int], ...] = ()
    swapped_spin: int = 0


@dataclass(frozen=True, eq=False)
class GroundStateTask:
    """`task dft energy` (or `task scf energy`).

    energy_tolerance, density_tolerance: SCF thresholds in Hartree and on the density.
    skip: `noscf`: orbitals are assembled and not converged.
    output: file name under which later `vectors input` or `load vectors` find these orbitals.
    nwchem_only_lines: lines of its dft block that only NWChem needs.
    occupations: of `occup`, by spin, from the first orbital on; empty without.
    lock: `max_ovl`: those orbitals stay occupied that overlap most with the occupied ones of the start.
    filling: of the orbitals in the SCF; None where it is one by one.
    relax: of `task dft optimize`, the lines of its driver block; None where the nuclei stay.
    """

    place: Place
    system: System
    vectors: Vectors
    output: str
    energy_tolerance: float
    density_tolerance: float
    max_iterations: int
    skip: bool
    nwchem_only_lines: tuple[str, ...] = ()
    occupations: tuple[tuple[float, ...], ...] = ()
    lock: bool = False
    relax: tuple[str, ...] | None = None
    filling: Filling | None = None


@dataclass(frozen=True, eq=False)
class LinearResponseTask:
    """`task tddft energy`: excitation energies by linear response.

    vectors: file of the ground state's orbitals.
    """

    place: Place
    system: System
    vectors: str
    n_roots: int
    singlet: bool
    triplet: bool
    tamm_dancoff: bool


@dataclass(frozen=True, eq=False)
class ExcitedDensityTask:
    """`task tddft gradient`: the relaxed density of an excited state, which NWChem leaves in a file.

    vectors: file of the ground state's orbitals. output: of the density.
    block: the `tddft` block, as NWChem's deck gets it. nwchem_only_lines: as of a ground state.
    """

    place: Place
    system: System
    vectors: str
    output: str
    block: tuple[str, ...]
    nwchem_only_lines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class DensityPlotTask:
    """`task dplot`: a cube file of the ground state's density. vectors: file of its orbitals."""

    place: Place
    system: System
    vectors: str
    plot: DensityPlot


@dataclass(frozen=True, eq=False)
class PropagationTask:
    """`task dft rt_tddft`.

    nwchem_only_lines: lines of the dft block in force that only NWChem needs.
    grounds: the ground states that its orbitals come from, the one that left them last.
    excited: `tddft` block that made the density it loads; empty without.
    """

    place: Place
    system: System
    real_time: RealTime
    vectors: str
    nwchem_only_lines: tuple[str, ...] = ()
    grounds: tuple[GroundStateTask, ...] = ()
    excited: tuple[str, ...] = ()


Task = GroundStateTask | LinearResponseTask | ExcitedDensityTask | DensityPlotTask | PropagationTask


def orbitals_read(task: Task) -> str:
    """Name of the file whose orbitals a task takes as they are; empty for a ground state."""
    if isinstance(task, GroundStateTask):
        return ""
    if isinstance(task, PropagationTask) and task.real_time.load.kind == "vectors":
        return task.real_time.load.files[0]
    return task.vectors


def of_other_system(task: Task, change: Callable[[System], System]) -> Task:
    """The task at another geometry or level, with the ground states that it comes from."""
    if not isinstance(task, PropagationTask):
        return replace(task, system=change(task.system))
    grounds = tuple(replace(ground, system=change(ground.system)) for ground in task.grounds)
    return replace(task, system=change(task.system), grounds=grounds)


@dataclass(frozen=True, eq=False)
class Deck:
    """A whole deck.

    prefix: the name of `start`/`restart`, else the deck's base name without a final `.nw`; leads file names.
    permanent_dir: where NWChem would put the files that last; relative names start at the working folder.
    notices: lines for the user about what was understood in a way that he may not expect; file:line first.
    journal: everything that the deck sets, and the runs that it restarts had set, as the lines of a deck.
    recorded: how many of these lines there are up to each task and with it.
    """

    path: Path
    prefix: str
    title: str
    permanent_dir: Path
    tasks: tuple[Task, ...]
    notices: tuple[str, ...] = ()
    journal: tuple[str, ...] = ()
    recorded: tuple[int, ...] = ()

    @property
    def propagations(self) -> tuple[PropagationTask, ...]:
        """Its `task dft rt_tddft`, in order."""
        return tuple(task for task in self.tasks if isinstance(task, PropagationTask))

    @property
    def ground_states(self) -> tuple[GroundStateTask, ...]:
        """Its `task dft energy`, in order."""
        return tuple(task for task in self.tasks if isinstance(task, GroundStateTask))
