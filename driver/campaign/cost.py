"""What an item takes, by the forecast of its deck, and how many items this machine takes at a time."""

from ...atomic.threads import cores
from ..forecast.cost import BYTES, SECONDS, Asked, bytes_counts, priced, seconds_counts
from ..forecast.work import size_of
from ..run.machine import half_of_memory
from ..run.options import Options
from .item_maps import plans_of
from .items import Item

#: Not spent for each item: the start of a process, and the figures that items do not draw.
_SHARED = ("process", "figure")


def cost_of_item(item: Item, options: Options) -> tuple[float, float]:
    """Processor seconds, and bytes at the peak."""
    sizes = {number: size_of(task.system) for number, task in enumerate(item.deck.tasks)}
    asked = Asked(options.memory, options.tolerance, options.surrogate != "none")
    counts = seconds_counts(item.deck, sizes, asked)
    counts |= dict.fromkeys(_SHARED, 0.0)
    seconds, memory = priced(counts, SECONDS), priced(bytes_counts(item.deck, sizes, asked), BYTES)
    if item.probing is not None:
        longer, densities = _probes(item)
        return longer * seconds, memory + densities
    return seconds, memory


def _probes(item: Item) -> tuple[float, float]:
    """How many times longer a pump takes with its probes, and bytes of the densities that it keeps.

    A step of a probe and of its shadow takes about what one of the pump takes with what it learns.
    """
    assert item.probing is not None
    longer, densities = 0.0, 0.0
    plans = plans_of(item.deck, item.probing)
    for plan in plans:
        last = int(plan.branches[-1]) + plan.n_window
        probes = (len(plan.delays) + 1) * plan.n_window
        longer += (last + probes) / plan.task.real_time.n_points / len(plans)
        size = size_of(plan.task.system)
        densities = max(densities, 32.0 * size.spins * size.functions**2 * (last + 1))
    return longer, densities


def workers_that_fit(items: tuple[Item, ...], options: Options) -> int:
    """As many as there are cores, and as half of the memory holds of the largest level; at least one."""
    largest = {tuple(item.level.values()): item for item in items}
    most = max((cost_of_item(item, options)[1] for item in largest.values()), default=1.0)
    return max(1, min(cores(), int(half_of_memory() / most)))
