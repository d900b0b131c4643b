"""A forecast in words, for `hybrid-propagate --check`."""

from .forecast import Forecast, TaskForecast
from .work import MOST_MODES


def words(told: Forecast) -> list[str]:
    """Lines for standard output; refusals are not among them."""
    lines = [f"{told.deck}: {told.title}".rstrip(": ")]
    lines += [f"  {notice}" for notice in told.notices]
    for task in told.tasks:
        lines += _task(task)
    if told.cost is not None and not told.refusals:
        ends = dict.fromkeys(_time(seconds / 60.0) for seconds in (told.cost.seconds, told.cost.most))
        time = f"{' to '.join(ends)} of processor time"
        lines.append(f"takes about {told.cost.memory / 1e6:.0f} MB and {time}, one thread")
    return lines


def _task(task: TaskForecast) -> list[str]:
    size = task.size
    shell = "open shell" if size.spins == 2 else "closed shell"
    head = (
        f"line {task.line}: {task.kind} of {task.formula}, charge {task.charge}, multiplicity "
        f"{task.multiplicity}, {shell}, {task.functional}: {size.functions} functions, "
        f"{size.irreps} irrep{'s' * (size.irreps > 1)}, {size.points} grid points"
    )
    if task.kind != "propagation":
        return [head]
    kernel = (
        f"kernel {task.kernel / 1e6:.1f} MB on {size.pairs} pairs"
        if task.kernel
        else f"weak motion, about {size.moved_pairs} pairs an irrep, {_way(task)}"
        if task.weak_motion
        else "no kernel in memory: the response is formed anew at every step"
        if task.formed_anew
        else "no kernel in memory: the response is taken on a coarse grid"
    )
    return [
        head,
        # NWChem's own tag, without one in the deck, ends in a colon.
        f"  {task.tag.rstrip(' :')}: {task.steps} steps to {task.tmax:g} au; {kernel}",
        f"  {task.advice}",
        f"  largest risk: {task.risk}",
    ]


def _way(task: TaskForecast) -> str:
    """How the steps of weak motion are made."""
    if task.size.moved_pairs > MOST_MODES or task.driven_steps == task.steps > 0:
        return "by relaxation"
    return "by relaxation while a field lasts, then by its modes" if task.driven_steps else "by its modes"


def _time(minutes: float) -> str:
    if minutes > 180.0:
        return f"{minutes / 60.0:.0f} hours"
    return f"{60.0 * minutes:.0f} s" if minutes < 3.0 else f"{minutes:.0f} minutes"
