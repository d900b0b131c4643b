"""A campaign from its configuration to its answer: items laid out, carried out, and collected."""

import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ...atomic.errors import Failed
from ..executors.executor import LOCAL, Executors, executors
from ..executors.progress import item_progress
from ..executors.schedule import Lost, carried_out
from ..forecast.work import kernel_bytes, size_of
from ..front_door.deck_runs import run_options
from ..front_door.options import all_options
from ..run.options import Options
from ..spectra.spectrum import Spectrum
from .carry_out import DONE, FAILED, LOST, ItemOrder, Standing, carry_out, standing
from .collected import mean_spectra
from .config import CampaignConfig, CampaignError, read_config
from .cost import workers_that_fit
from .items import ITEMS, Item, items_of
from .mean_maps import MeanMap, mean_maps, write_mean_maps
from .page import CampaignPage, write_page
from .store import write_store
from .table import rows, write_table


@dataclass(frozen=True, eq=False)
class CampaignPlan:
    """A campaign before it is carried out.

    path: of the configuration. options: of every run. items: all, in order.
    """

    path: Path
    config: CampaignConfig
    options: Options
    items: tuple[Item, ...]


@dataclass(frozen=True, eq=False)
class Campaign:
    """A campaign that was carried out, as far as it is.

    folder: with `campaign.html`, `campaign.h5`, `campaign.csv`, and the items.
    standings: state and figures of each item, in order.
    spectra, maps: means over the geometries, by what else varies; the key is empty where nothing does.
    """

    folder: Path
    standings: tuple[Standing, ...]
    spectra: dict[str, Spectrum]
    maps: dict[str, MeanMap]

    @property
    def failed(self) -> dict[str, str]:
        """Reasons by item."""
        return {one.name: one.reason for one in self.standings if one.state in (FAILED, LOST)}


def campaign(
    config: Path | str, *, executor: str = LOCAL, workers: int | None = None, items: str | None = None
) -> Campaign:
    """Carry out what a YAML file asks for, or what is left of it; the same files as from `hybrid-campaign`.

    executor: `local`, or `MODULE:FUNCTION` that returns a `concurrent.futures.Executor`. workers: local
    processes; None: as many as there are cores. items: a share, such as "3::40", as Python slices.
    Items that fail are in `failed`. Raises BadInput, Failed, and OSError where the answer cannot be written.
    """
    # What cannot be had is told before anything is laid out.
    engines = executors(executor, workers)
    plan = laid_out(Path(config))
    return finished(plan, fitted(plan, engines, workers), share(plan.items, items))


def laid_out(path: Path) -> CampaignPlan:
    """Read a configuration and make its items. Raises BadInput; Failed where there are no frequencies."""
    config, source = read_config(path)
    # Densities of hundreds of runs would fill a disk; who wants them says so.
    asked = all_options({"save_density": 0, **(config.options or {}), "memory": None})
    if config.axes.pump_probe is not None:
        asked["surrogate"] = "none" if asked["surrogate"] == "none" else "response"
    options = run_options(asked, time.perf_counter(), frames=True)
    weights = options.weights and options.weights.absolute()
    kernels = options.kernels and options.kernels.absolute()
    options = replace(options, alone=False, weights=weights, kernels=kernels)
    found = items_of(config, source, options, _say)
    return CampaignPlan(path, config, options, tuple(found))


def fitted(plan: CampaignPlan, engines: Executors, workers: int | None) -> Executors:
    """Fewer local processes where nobody has said how many and the memory does not hold them."""
    if workers is not None or not engines.workers:
        return engines
    return executors(LOCAL, workers_that_fit(plan.items, plan.options))


def share(items: Sequence[Item], text: str | None) -> tuple[Item, ...]:
    """The items of `START:STOP:STEP` as Python slices, or of one number from 0. Raises CampaignError."""
    if text is None:
        return tuple(items)
    if not re.fullmatch(r"-?\d+|(-?\d+)?:(-?\d+)?(:(-?\d+)?)?", text):
        raise CampaignError(f"--items {text}: accepted: START:STOP:STEP, such as 3::40")
    parts = [int(part) if part else None for part in text.split(":")]
    if len(parts) == 1 and not -len(items) <= (parts[0] or 0) < len(items):
        raise CampaignError(f"--items {text}: there are {len(items)} items, numbered from 0")
    if len(parts) == 1:
        return tuple(items[parts[0] : None if parts[0] == -1 else (parts[0] or 0) + 1])
    if len(parts) == 3 and parts[2] == 0:
        raise CampaignError(f"--items {text}: a step of 0 goes nowhere")
    return tuple(items[slice(*parts)])


def finished(plan: CampaignPlan, engines: Executors, chosen: Sequence[Item]) -> Campaign:
    """Carry out what is left of the items chosen; where that is all, or all is done, write the answer.

    Raises what the executor raises, OSError.
    """
    told = _carry_out(plan, engines, chosen)
    if len(chosen) < len(plan.items):
        return Campaign(plan.config.folder, tuple(_standings(chosen, {}, told).values()), {}, {})
    return collect(plan, (), told)


def _carry_out(plan: CampaignPlan, engines: Executors, chosen: Sequence[Item]) -> dict[str, str]:
    """Why items are not finished, by name; a full disk and an executor's loss leave no record."""
    before = _standings(chosen, {}, {})
    left = [item for item in chosen if before[item.name].state not in (DONE, FAILED)]
    if not left:
        return {}
    (plan.config.folder / ITEMS).mkdir(parents=True, exist_ok=True)
    by_name = {item.name: item for item in plan.items}
    learns = _levels_that_learn(left, plan.options)
    orders = {
        item.name: ItemOrder(
            item.deck,
            item.digest,
            plan.options,
            by_name[item.seed].start_of_others if item.seed else None,
            tuple(item.level.values()) in learns,
            engines.workers,
            (plan.config.options or {}).get("memory"),
            item.probing,
        )
        for item in left
    }
    after = {item.name: item.seed for item in left if item.seed}
    _say(f"{len(chosen)} items, {len(left)} to be done; {_where(engines)}")
    unfinished: dict[str, str] = {}
    with (
        item_progress("items", len(chosen), len(chosen) - len(left)) as advance,
        closing(carried_out(carry_out, orders, after, engines)) as results,
    ):
        for name, result in results:
            found = Standing(name, "", LOST, result.reason) if isinstance(result, Lost) else result
            if found.state != DONE:
                unfinished[name] = found.reason or found.state
            advance(
                name if found.state == DONE else f"{name} {found.state} ({found.reason})".replace(" ()", "")
            )
    return unfinished


def _where(engines: Executors) -> str:
    return f"{engines.workers} local processes" if engines.workers else "an executor of your own"


def _levels_that_learn(items: Sequence[Item], options: Options) -> set[tuple[str, ...]]:
    """Levels at which a neighbour takes over what its seed has learned: those without an analytic kernel,
    beside which a neighbour's response brings nothing (docs/results/campaigns.md)."""
    if options.surrogate not in ("auto", "response"):
        return set()
    systems = {tuple(item.level.values()): item.deck.tasks[0].system for item in items}
    return {
        level
        for level, system in systems.items()
        if not kernel_bytes(system, size_of(system), options.memory)
    }


def collect(
    plan: CampaignPlan, folders: Iterable[Path], told: Mapping[str, str] = MappingProxyType({})
) -> Campaign:
    """Write the answer from what the items have left, here and in folders that were made elsewhere.

    told: why items are not finished, where their files do not say. Raises CampaignError where an item is
    of other settings, OSError.
    """
    elsewhere = _elsewhere(plan.items, folders)
    standings = _standings(plan.items, elsewhere, told)
    spectra = mean_spectra(plan.items, standings, plan.config.spectrum, elsewhere)
    maps = mean_maps(plan.items, standings, plan.config.spectrum, elsewhere)
    table = rows(plan.items, standings)
    folder = plan.config.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_table(table, folder / "campaign.csv")
    write_store(folder / "campaign.h5", spectra, maps, table)
    if maps:
        write_mean_maps(maps, folder / "campaign_map.csv")
    title = plan.items[0].deck.title or plan.items[0].deck.path.stem
    write_page(CampaignPage(title, plan.path, standings, table, spectra, maps), folder)
    by_label = {one.label: one.mean for one in spectra}
    return Campaign(folder, tuple(standings.values()), by_label, {one.label: one for one in maps})


def _standings(
    items: Sequence[Item], elsewhere: Mapping[str, Path], told: Mapping[str, str]
) -> dict[str, Standing]:
    """By name, in order."""
    found = {}
    for item in items:
        folder = elsewhere.get(item.name, item.deck.permanent_dir)
        stands = standing(folder, item.name, item.digest)
        if stands.state != DONE and item.name in told:
            stands = replace(stands, state=FAILED, reason=told[item.name])
        found[item.name] = stands
    return found


def _elsewhere(items: Sequence[Item], folders: Iterable[Path]) -> dict[str, Path]:
    """Folders of items that are not finished here and stand in one of the folders."""
    found: dict[str, Path] = {}
    here = _standings(items, {}, {})
    left = [item for item in items if here[item.name].state != DONE]
    for folder in folders:
        if not (folder / ITEMS).is_dir():
            raise CampaignError(f"{folder}: no campaign's folder: it has no {ITEMS}")
        for item in left:
            there = folder / ITEMS / item.name
            if standing(there, item.name, item.digest).state == DONE:
                found[item.name] = there
    return found


def check_all_done(result: Campaign) -> None:
    """Raise Failed, which says how many items are not finished, and why the first is not."""
    failed = result.failed
    left = [one.name for one in result.standings if one.state not in (DONE, FAILED, LOST)]
    if failed:
        name, reason = next(iter(failed.items()))
        raise Failed(f"{len(failed)} of {len(result.standings)} items failed; the first, {name}: {reason}")
    if left:
        raise Failed(f"{len(left)} of {len(result.standings)} items are not finished, such as {left[0]}")


def _say(line: str) -> None:
    print(f"hybrid-campaign: {line}", file=sys.stderr, flush=True)
