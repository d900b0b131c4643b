"""How many threads a molecule of a size gets; `benchmarks/runs/threads.py` measures what they bring."""

from ...atomic.threads import cores

#: Basis functions from which on a Fock build has work for two threads and more; below, they wait for each
#: other, and every thread costs what it does not bring.
_WORTH_THREADS = 60
#: More threads than this were not measured.
_MOST = 8


def threads_for(n_basis: int) -> int:
    """One for small molecules, else the cores that this process may use."""
    return 1 if n_basis < _WORTH_THREADS else min(cores(), _MOST)
