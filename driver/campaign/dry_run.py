"""What a campaign would take, told before it begins: items, processor seconds, memory."""

from collections.abc import Iterator, Sequence

from .campaign import CampaignPlan
from .carry_out import standing
from .cost import cost_of_item
from .items import Item


def dry_run(plan: CampaignPlan, chosen: Sequence[Item], workers: int) -> Iterator[str]:
    """Lines for standard output: one an item, and the sums. Raises CampaignError, as a run would."""
    costs: dict[tuple[str, ...], tuple[float, float]] = {}
    total, most = 0.0, 0.0
    for item in chosen:
        level = tuple(item.level.values())
        if level not in costs:
            costs[level] = cost_of_item(item, plan.options)
        seconds, memory = costs[level]
        state = standing(item.deck.permanent_dir, item.name, item.digest).state
        total += seconds if state != "done" else 0.0
        most = max(most, memory)
        runs = len(item.variations)
        what = "propagation" if item.probing is None else "map"
        start = f", starts from {item.seed}" if item.seed else ""
        yield (
            f"{item.name}: {runs} {what}{'s' * (runs > 1)}, {seconds:.0f} s, {memory / 1e6:.0f} MB, "
            f"{state}{start}"
        )
    n = len(chosen)
    yield (
        f"{n} item{'s' * (n > 1)}: about {total:.0f} s of processor time are left, "
        f"{total / max(workers, 1):.0f} s by {workers} local processes of up to {most / 1e6:.0f} MB each"
    )
