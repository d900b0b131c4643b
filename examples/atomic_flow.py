"""Chromium falls into a half-filled shell: the occupation flow from 3d4 4s2, step by step.

Each line is one self-consistent atom with fractional occupations. The flow moves electrons from high levels
to low ones (Janak: dE/df = level) until none can move: it ends at 3d5 4s1, the experimental configuration.
"""

from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.study.analysis import with_empty_shells
from hybrid_propagate.atomic.study.occupation_flow import flow


def main() -> None:
    """Prints time, energy and the occupations of the 3d and 4s spin shells."""
    model = Model(spin=True)
    start = with_empty_shells(parse_configuration("[Ar] 3d4 4s2"), model, more=1)
    path = flow(24.0, start, model)
    shown = [i for i, o in enumerate(path.orbitals) if o.label in ("3d", "4s")]
    names = [f"{path.orbitals[i].label} {'down' if path.orbitals[i].spin else 'up'}" for i in shown]
    print("  time        E / Ha  " + "".join(f"{name:>10s}" for name in names))
    for time, energy, occupations in zip(path.times, path.energies, path.occupations, strict=True):
        print(f"{time:6.2f}  {energy:12.6f}  " + "".join(f"{occupations[i]:10.4f}" for i in shown))


if __name__ == "__main__":
    main()
