"""One propagation to be carried out: the task, and everything around it that stays as it is."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, PropagationTask, orbitals_read
from ...adapters.log.log_file import LogFile
from ...atomic.terminal import may_be_live
from ..page.lines import Root
from .options import Options


@dataclass(frozen=True, eq=False)
class Job:
    """One propagation task of a deck.

    task: what is propagated.
    deck: where it stands.
    stem: path of its files without their ending.
    options: of the command.
    started: `time.perf_counter()` from which on the time counts as this job's.
    write: takes log text.
    stopping: whether the user has asked for an end.
    roots: of the `task tddft` before it, which its summary keeps; None where there is none.
    learned: response that an earlier job has learned about the same ground state, as arrays.
    """

    task: PropagationTask
    deck: Deck
    stem: Path
    options: Options
    started: float
    write: Callable[[str], None]
    stopping: Callable[[], bool]
    roots: Sequence[Root] | None = None
    learned: Mapping[str, np.ndarray] | None = None

    def file(self, ending: str) -> Path:
        """Path of one of its files, such as `<start>.h5`."""
        return self.stem.with_name(f"{self.stem.name}.{ending}")

    @property
    def live(self) -> bool:
        """Whether a line may move on the terminal: not where the log is printed on it."""
        return live_beside(self.write)

    @property
    def orbitals(self) -> str:
        """Name of the file, in the deck's words, whose orbitals the propagation starts from."""
        return orbitals_read(self.task)

    @property
    def restart_file(self) -> Path:
        """NWChem's, which all propagations of a deck share."""
        return self.deck.permanent_dir / f"{self.deck.prefix}.rt_restart"

    @property
    def hybrid(self) -> bool:
        """Whether a surrogate makes most steps."""
        real_time = self.task.real_time
        return self.options.surrogate != "none" and not (real_time.static or real_time.no_propagation)


def live_beside(write: Callable[[str], None]) -> bool:
    """Whether a line may move on the terminal while `write` takes the log."""
    return may_be_live(uses_stdout=not isinstance(write, LogFile))


def file_names(deck: Deck) -> list[str]:
    """`<start>` for one propagation; `<start>_<tag>`, or a number where tags repeat, for several."""
    tasks = deck.propagations
    if len(tasks) == 1:
        return [deck.prefix]
    tags = [re.sub(r"[^A-Za-z0-9._-]", "", task.real_time.tag) for task in tasks]
    distinct = len(set(tags)) == len(tags) and all(tags)
    return [f"{deck.prefix}_{tag if distinct else k}" for k, tag in enumerate(tags, start=1)]


def trajectories(deck: Deck) -> list[Path]:
    """The trajectory files of its propagations, in order; one that only prints its start leaves none."""
    names = zip(file_names(deck), deck.propagations, strict=True)
    return [deck.permanent_dir / f"{name}.h5" for name, task in names if not task.real_time.no_propagation]


def last_trajectory(deck: Deck) -> Path | None:
    """Where the last propagation that learns a response keeps it."""
    names = zip(file_names(deck), deck.propagations, strict=True)
    learning = [name for name, task in names if not (task.real_time.static or task.real_time.no_propagation)]
    return deck.permanent_dir / f"{learning[-1]}.h5" if learning else None
