"""One item, in whatever process: returned where it is finished, resumed where it has begun, else run.

Its own files tell how far it is, so that the same order may be given any number of times, by any executor.
"""

import contextlib
import json
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...adapters.deck import Deck
from ...adapters.files.run_lock import FolderInUse
from ...adapters.files.trajectory import read_contents
from ...adapters.nwchem.process import NWChemError
from ...adapters.regular_file import read_regular
from ...atomic.errors import HybridPropagateError
from ...atomic.interruption import asked
from ...atomic.threads import cores, limited_to
from ...atomic.whole_file import write_whole
from ...surrogate.runtime.session import DeviceError
from ..front_door.log_sink import log_sink
from ..front_door.thread_choice import threads_for
from ..run.deck import run_deck
from ..run.job import file_names
from ..run.machine import half_of_memory
from ..run.options import Options
from .config import CampaignError
from .item_maps import Probing, make_maps

#: Of a record.
_MOST_BYTES = 2**26
#: What an item's record is called, and that of its start.
RECORD, BEGUN = "item.json", "begun.json"
#: How an item stands.
DONE, FAILED, IN_USE, STOPPED, LOST, TODO = "done", "failed", "in use", "stopped", "lost", "to do"


@dataclass(frozen=True, eq=False)
class ItemOrder:
    """What a process needs to know. It fits in a few kilobytes, and pickles.

    deck: of the item. digest: of what shapes its numbers. options: of its runs.
    seed: trajectory file of its seed, whose orbitals it starts from where that is there; None without.
    learns: whether it takes over what the seed has learned, too.
    workers: processes that share this machine; 0: not known.
    memory: megabytes of the item; None: the machine's half, shared.
    probing: where its propagations are pumps with probes at delays.
    """

    deck: Deck
    digest: str
    options: Options
    seed: Path | None
    learns: bool
    workers: int
    memory: float | None
    probing: Probing | None = None


@dataclass(frozen=True)
class Standing:
    """How an item stands.

    state: of those above. reason: why it failed; empty otherwise.
    seconds, processor_seconds: that its last part took.
    prior: the file whose learned response it started from; empty without.
    runs: what is told of each propagation, in order: see `_of_run`.
    """

    name: str
    digest: str
    state: str
    reason: str = ""
    seconds: float = 0.0
    processor_seconds: float = 0.0
    prior: str = ""
    runs: tuple[dict[str, Any], ...] = ()


def standing(folder: Path, name: str, digest: str) -> Standing:
    """How an item stands by its own files. Raises CampaignError where they are of other settings."""
    for file in (RECORD, BEGUN):
        try:
            content = json.loads(read_regular(folder / file, _MOST_BYTES))
            found = Standing(**{**content, "runs": tuple(content["runs"])})
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CampaignError(f"{folder / file}: not the record of an item ({error})") from error
        if found.digest != digest:
            raise CampaignError(f"{folder}: made with other settings; remove it, or choose another folder")
        return found
    return Standing(name, digest, TODO)


def carry_out(order: ItemOrder) -> Standing:
    """Finish an item. Raises nothing: what goes wrong is told by its state."""
    deck = order.deck
    name, folder = deck.prefix, deck.permanent_dir
    try:
        before = standing(folder, name, order.digest)
        if before.state in (DONE, FAILED):
            return before
        folder.mkdir(parents=True, exist_ok=True)
        if before.state == TODO:
            learns = order.learns and order.seed is not None and order.seed.is_file()
            before = Standing(name, order.digest, STOPPED, prior=str(order.seed) if learns else "")
            _write(folder / BEGUN, before)
        return _run(order, before)
    except FolderInUse as error:
        return Standing(name, order.digest, IN_USE, str(error))
    except HybridPropagateError as error:
        return _failed(order, str(error), kept=not _passes(error))
    except MemoryError:
        return _failed(order, "not enough memory", kept=False)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(order, f"{where}{error.strerror or error}", kept=False)
    except Exception as error:
        # A fault of the program's in one item stops no other; the text says where it is.
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return _failed(
            order, f"a fault of the program: {type(error).__name__}: {error} ({where})", kept=False
        )


def _run(order: ItemOrder, before: Standing) -> Standing:
    deck, folder = order.deck, order.deck.permanent_dir
    started, spent = time.perf_counter(), time.process_time()
    prior = Path(before.prior) if before.prior else None
    goes_on = any((folder / f"{name}.h5").exists() for name in file_names(deck))
    memory = half_of_memory() / (order.workers or cores()) if order.memory is None else 1e6 * order.memory
    own = {"prior": prior, "orbitals": order.seed, "started": started, "memory": memory}
    options = replace(order.options, restart=goes_on, **own)
    threads = 1 if order.workers else threads_for(max(task.system.n_basis for task in deck.tasks))
    with (
        (folder / "progress.txt").open("a", encoding="utf-8") as progress,
        contextlib.redirect_stderr(progress),
        contextlib.redirect_stdout(progress),
        log_sink(folder / f"{deck.prefix}.log", append=goes_on) as write,
        limited_to(threads),
    ):
        runs = _runs(order, options, write)
        if runs is None:
            return before
    done = Standing(
        deck.prefix,
        order.digest,
        DONE,
        "",
        time.perf_counter() - started,
        time.process_time() - spent,
        before.prior,
        runs,
    )
    _write(folder / RECORD, done)
    return done


def _runs(
    order: ItemOrder, options: Options, write: Callable[[str], None]
) -> tuple[dict[str, Any], ...] | None:
    """What is told of each propagation or map; None where the user has asked for an end."""
    deck = order.deck
    if order.probing is not None:
        return make_maps(deck, order.probing, options, write, asked)
    if not _propagated(deck, options, write):
        return None
    return tuple(_of_run(deck.permanent_dir / name) for name in file_names(deck))


def _propagated(deck: Deck, options: Options, write: Callable[[str], None]) -> bool:
    """Whether all has come to its end: at once where graphs make the steps, else in turn."""
    if options.surrogate == "rollout":
        # Onnx takes a third of a second to import.
        from ..graphs.many import can_be_together, run_together

        if can_be_together(deck, options):
            return run_together(deck, options, write, asked).finished
    return run_deck(deck, options, write, asked)


#: What a record tells of each run, from its summary.
_TOLD = (
    "steps",
    "fock_builds",
    "estimated_error",
    "error_bound",
    "tolerance_met",
    "estimated_energy_error",
)


def _of_run(stem: Path) -> dict[str, Any]:
    """Those, with the largest change of the dipole, au, and the energy gained up to the end, Hartree."""
    summary = json.loads(read_regular(stem.with_name(f"{stem.name}.json"), _MOST_BYTES))
    series = read_contents(stem.with_name(f"{stem.name}.h5")).series
    dipole, energy = np.asarray(series["dipole"]), np.asarray(series["energy"])
    return {
        **{name: summary.get(name) for name in _TOLD},
        "largest_dipole_change": float(np.linalg.norm(dipole - dipole[0], axis=1).max()),
        "energy_gained": float(energy[-1] - energy[0]),
    }


def _passes(error: HybridPropagateError) -> bool:
    """Whether another try may go well: what the system, the reference code or a record's reading did."""
    passing = (CampaignError, NWChemError, DeviceError)
    return isinstance(error, passing) or isinstance(error.__cause__, OSError)


def _failed(order: ItemOrder, reason: str, *, kept: bool) -> Standing:
    """kept: the calculation would fail again, and is not tried again until its record is removed."""
    found = Standing(order.deck.prefix, order.digest, FAILED, " ".join(reason.split()))
    if kept and not (order.deck.permanent_dir / RECORD).exists():
        with contextlib.suppress(OSError):
            _write(order.deck.permanent_dir / RECORD, found)
    return found


def _write(path: Path, found: Standing) -> None:
    write_whole(path, json.dumps(asdict(found), indent=1) + os.linesep)
