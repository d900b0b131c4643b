"""What the study asks of its energies:
stability of each ground state, basins, ionisation energies, trajectories.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from ..solver.configuration import Configuration, ground_configuration, parse_configuration
from ..solver.elements import SYMBOLS, madelung_order
from ..solver.mesh import spectral_mesh
from ..solver.model import Model, Orbital, orbitals_of
from ..solver.scf import Cycle, self_consistent
from .ionisation import MEASURED, ionisation_energy
from .move_graph import basins
from .occupation_flow import Trajectory, flow, stability
from .study import Record, Solver, neutral_energies, study_model


@dataclass(frozen=True)
class ElementStability:
    """Rates of the flow at one configuration (see `occupation_flow`), Hartree.

    gap: lowest level with room minus highest level with electrons, over spin-orbitals; 0 where a shell is
    open.
    """

    z: int
    symbol: str
    configuration: str
    spin: bool
    stable: bool
    imbalance: float
    largest_rate: float
    tangent: list[float]
    exchange: float
    gap: float


def with_empty_shells(configuration: Configuration, model: Model, more: int = 3) -> tuple[Orbital, ...]:
    """The configuration's orbitals, and the next `more` empty shells in the order of filling."""
    held = {(o.n, o.l, o.spin): o for o in orbitals_of(configuration, model)}
    occupied = {(n, k) for n, k, _ in held}
    spins = (0, 1) if model.spin else (0,)
    for n, k in [shell for shell in madelung_order() if shell not in occupied][:more]:
        for spin in spins:
            held[n, k, spin] = Orbital(n, k, 0.0, (4.0 * k + 2.0) / len(spins), spin)
    return tuple(held[key] for key in sorted(held))


def element_stability(
    z: int, configuration: Configuration | None = None, spin: bool = True
) -> ElementStability:
    """Stability of a neutral configuration (the ground one by default) under one-electron rearrangements."""
    configuration = configuration or ground_configuration(z)
    model = Model(spin=spin, relativity=study_model(z).relativity)
    mesh = spectral_mesh(float(z), model.relativity != "none")
    orbitals = with_empty_shells(configuration, model)
    atom = self_consistent(float(z), orbitals, model, mesh, cycle=Cycle(tolerance=1e-8, require_bound=False))
    rates = stability(atom)
    f = np.array([o.occupation for o in orbitals])
    c = np.array([o.capacity for o in orbitals])
    gap = float(atom.levels[f < c - 1e-6].min() - atom.levels[f > 1e-6].max())
    return ElementStability(
        z=z,
        symbol=SYMBOLS[z - 1],
        configuration=str(configuration),
        spin=spin,
        stable=rates.stable(),
        imbalance=rates.imbalance,
        largest_rate=rates.largest,
        tangent=[float(t) for t in rates.tangent],
        exchange=rates.exchange,
        gap=max(gap, 0.0),
    )


def ionisation_row(z: int) -> dict[str, float | int | None]:
    """ΔSCF ionisation energies by LSDA and restricted LDA (Schrödinger) and the measured one, eV."""
    return {
        "z": z,
        "lsda": ionisation_energy(z, Model(spin=True)),
        "lda": ionisation_energy(z, Model()),
        "measured": MEASURED[z - 1] if z <= len(MEASURED) else None,
    }


def basin_table(
    records: list[Record], elements: Iterable[int], solver: Solver = "radial"
) -> list[dict[str, object]]:
    """The attractors of the discrete dynamics of each element:
    configuration, size of basin, escape energy.
    """
    rows: list[dict[str, object]] = []
    for z in elements:
        energies = neutral_energies(records, z, solver)
        for rank, basin in enumerate(basins(energies)):
            rows.append(
                {
                    "z": z,
                    "symbol": SYMBOLS[z - 1],
                    "rank": rank,
                    "attractor": str(basin.attractor),
                    "energy": basin.energy,
                    "escape": basin.escape,
                    "members": len(basin.members),
                    "configurations": len(energies),
                    "is_ground": occupations(basin.attractor) == occupations(ground_configuration(z)),
                }
            )
    return rows


def occupations(configuration: Configuration) -> list[tuple[int, int, float]]:
    """(n, l, f) of the shells, without spin."""
    return [(s.n, s.l, s.occupation) for s in configuration.shells]


def trajectory(z: int, configuration: str) -> tuple[int, Trajectory]:
    """The flow from one configuration, LSDA, with the next two empty shells within reach."""
    model = study_model(z)
    orbitals = with_empty_shells(parse_configuration(configuration), model, more=2)
    return z, flow(float(z), orbitals, model)


def stability_row(z: int, configuration: str | None, spin: bool) -> dict[str, object]:
    """`element_stability` as a row for JSON; the ground configuration when None."""
    chosen = parse_configuration(configuration) if configuration else None
    return asdict(element_stability(z, chosen, spin))
