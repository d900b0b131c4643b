"""What a campaign would take, told before it begins: items, processor seconds, memory."""

from collections.abc import Iterator, Sequence

from ..forecast.cost import BYTES, SECONDS, Asked, bytes_counts, priced, seconds_counts
from ..forecast.work import size_of
from .campaign import CampaignPlan
from .carry_out import standing
from .items import Item

#: Not spent for each item: the start of a process, and the figures that items do not draw.
_SHARED = ("process", "figure")


def dry_run(plan: CampaignPlan, chosen: Sequence[Item], workers: int) -> Iterator[str]:
    """Lines for standard output: one an item, and the sums. Raises CampaignError, as a run would."""
    costs: dict[tuple[str, ...], tuple[float, float]] = {}
    total, most = 0.0, 0.0
    for item in chosen:
        level = tuple(item.level.values())
        if level not in costs:
            costs[level] = _cost(item, plan)
        seconds, memory = costs[level]
        state = standing(item.deck.permanent_dir, item.name, item.digest).state
        total += seconds if state != "done" else 0.0
        most = max(most, memory)
        runs = len(item.variations)
        start = f", starts from {item.seed}" if item.seed else ""
        yield (
            f"{item.name}: {runs} propagation{'s' * (runs > 1)}, {seconds:.0f} s, {memory / 1e6:.0f} MB, "
            f"{state}{start}"
        )
    n = len(chosen)
    yield (
        f"{n} item{'s' * (n > 1)}: about {total:.0f} s of processor time are left, "
        f"{total / max(workers, 1):.0f} s by {workers} local processes of up to {most / 1e6:.0f} MB each"
    )


def _cost(item: Item, plan: CampaignPlan) -> tuple[float, float]:
    options = plan.options
    sizes = {number: size_of(task.system) for number, task in enumerate(item.deck.tasks)}
    asked = Asked(options.memory, options.tolerance, options.surrogate != "none")
    counts = seconds_counts(item.deck, sizes, asked)
    counts |= dict.fromkeys(_SHARED, 0.0)
    return priced(counts, SECONDS), priced(bytes_counts(item.deck, sizes, asked), BYTES)
