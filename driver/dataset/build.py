"""A data set from its configuration: geometries side by side, resumable; a file a molecule and level."""

import json
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...adapters.pyscf.ground_state import NotConverged
from ...adapters.regular_file import read_regular
from ...atomic.errors import BadInput, Failed
from ...atomic.whole_file import write_whole
from ..executors.executor import Executors
from ..executors.progress import item_progress
from ..executors.schedule import Lost, carried_out
from ..propagators.magnus import NoFixedPoint
from .config import DatasetConfig, Level, Molecule
from .samples import CheckFailed, join_parts, make_part

#: Of the note of how a data set was made.
_MOST_BYTES = 2**24


class DatasetError(BadInput):
    """A data set that cannot go on. One line."""


@dataclass(frozen=True, eq=False)
class _Job:
    """One geometry of one molecule at one level."""

    config: DatasetConfig
    molecule: Molecule
    level: Level
    number: int

    @property
    def group(self) -> str:
        return f"{self.molecule.name}_{self.level.name}"

    @property
    def name(self) -> str:
        return f"{self.group}_g{self.number:04d}"

    @property
    def part(self) -> Path:
        return self.config.folder / "parts" / self.group / f"g{self.number:04d}.npz"

    @property
    def skipped(self) -> Path:
        """Says why there is no part."""
        return self.part.with_suffix(".skipped")


def build_dataset(config: DatasetConfig, engines: Executors) -> None:
    """Make what is missing; says what it does on standard error and sums up on standard output.

    Raises DatasetError where the folder holds a data set of another configuration, or a check failed;
    Failed where an executor lost a geometry too often; OSError.
    """
    _claim(config)
    groups = [
        [_Job(config, molecule, level, number) for number in range(config.geometries.count)]
        for level in config.levels
        for molecule in config.molecules
    ]
    for folder in ("pairs", "trajectories"):
        (config.folder / folder).mkdir(parents=True, exist_ok=True)
    missing = [job for group in groups for job in group if not (job.part.exists() or job.skipped.exists())]
    left = {group[0].group: sum(job in missing for job in group) for group in groups}
    by_name = {group[0].group: group for group in groups}
    for name, count in left.items():
        if count == 0 and not _pairs_file(by_name[name]).exists():
            _join(by_name[name])
    # Workers may have other working folders.
    absolute = replace(config, folder=config.folder.absolute())
    jobs = {job.name: replace(job, config=absolute) for job in missing}
    total = sum(map(len, groups))
    with (
        item_progress("geometries", total, total - len(missing)) as advance,
        closing(carried_out(_carry_out, jobs, {}, engines)) as results,
    ):
        for name, result in results:
            if isinstance(result, Lost):
                raise Failed(f"{name}: {result.reason}")
            if result is not None:
                raise result
            group = jobs[name].group
            left[group] -= 1
            advance(group)
            if left[group] == 0:
                _join(by_name[group])


def _carry_out(job: _Job) -> Exception | None:
    """Make one part, or say why there is none; returns what is wrong with the data set, if anything."""
    try:
        job.part.parent.mkdir(parents=True, exist_ok=True)
        make_part(
            job.config, job.molecule, job.level, job.number, job.part, job.config.folder / "trajectories"
        )
    except (NotConverged, NoFixedPoint) as error:
        write_whole(job.skipped, f"{error}\n")
    except CheckFailed as error:
        return DatasetError(f"{job.group}, geometry {job.number}: {error}")
    except Exception as error:
        # What is raised here would be taken for a loss, and the part made once more.
        return error
    return None


def _join(group: list[_Job]) -> None:
    parts = {job.number: job.part for job in group if job.part.exists()}
    first, path = group[0], _pairs_file(group)
    skipped = f", {len(group) - len(parts)} geometries skipped" if len(parts) < len(group) else ""
    if not parts:
        print(f"{path}: not written{skipped}", flush=True)
        return
    pairs = join_parts(first.config, first.molecule, first.level, parts, path)
    print(f"{path}: {pairs} pairs at {len(parts)} geometries{skipped}", flush=True)


def _pairs_file(group: list[_Job]) -> Path:
    return group[0].config.folder / "pairs" / f"{group[0].group}.h5"


def _claim(config: DatasetConfig) -> None:
    """Keep what shapes every sample beside the data; refuse to mix it with another's.

    Molecules and levels may be added later.
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    path = config.folder / "sampling.json"
    parts = ("geometries", "pairs", "trajectories")
    ours = json.loads(
        json.dumps({"seed": config.seed, **{name: asdict(getattr(config, name)) for name in parts}})
    )
    if not path.exists():
        write_whole(path, json.dumps(ours, indent=1) + "\n")
        return
    try:
        theirs = dict(json.loads(read_regular(path, _MOST_BYTES)))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: does not say how its data set was made ({error})") from error
    changed = [name for name in ours if ours[name] != theirs.get(name)]
    if changed:
        raise DatasetError(
            f"{config.folder}: made with other {', '.join(changed)}; choose another folder or remove this one"
        )
