"""How many threads a molecule of a size gets; `benchmarks/runs/threads.py` measures what they bring."""

from ...atomic.threads import cores

#: Basis functions from which on two threads are used: on idle cores a Fock build gains 1.3 times by them at
#: 146 functions and loses at 66. On busy cores it loses much more: docs/results/threads.md.
_WORTH_THREADS = 100
#: More threads than this were not measured.
_MOST = 8


def threads_for(n_basis: int) -> int:
    """One for small molecules, else the cores that this process may use."""
    return 1 if n_basis < _WORTH_THREADS else min(cores(), _MOST)
