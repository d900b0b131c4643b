"""How many threads a molecule of a size gets; `benchmarks/runs/threads.py` measures what they bring."""

from ...atomic.threads import cores

#: Basis functions from which on there may be work for two threads and more. Up to 66 they waited for each
#: other, and cost up to 28 times what one thread costs: docs/results/threads.md.
_WORTH_THREADS = 100
#: More threads than this were not measured.
_MOST = 8


def threads_for(n_basis: int) -> int:
    """One for small molecules, else the cores that this process may use."""
    return 1 if n_basis < _WORTH_THREADS else min(cores(), _MOST)
