"""The shadow: the run again, with what its surrogate lacks added to every Fock matrix.

Over surrogate segments it goes its own way. Over reference steps nothing is lacking: the distance that it has
by then is carried on by the surrogate, between two propagations of which one is the run itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from ..propagators.state import State, density_of, natural_orbitals
from .statement import Sums

_STATE = ("orbitals", "occupations", "density", "fock", "fock_half")
_SUMS = tuple(one.name for one in fields(Sums))


@dataclass(eq=False)
class ErrorEstimate:
    """Where the shadow is, and the sums so far; part of a checkpoint.

    origin: dipole (3,) at the point that the run started from, electrons alone.
    shadow: at the run's own time.
    sums: up to there.
    """

    origin: np.ndarray
    shadow: State
    sums: Sums

    def save(self) -> dict[str, np.ndarray]:
        """Arrays that `loaded` takes back."""
        arrays = {f"shadow_{name}": getattr(self.shadow, name) for name in _STATE}
        place = np.array([self.shadow.step, self.shadow.time])
        sums = np.array([getattr(self.sums, name) for name in _SUMS], dtype=float)
        return {**arrays, "shadow_place": place, "estimate_sums": sums, "estimate_origin": self.origin}


def loaded(arrays: Mapping[str, np.ndarray]) -> ErrorEstimate | None:
    """What was saved; None where nothing was."""
    if "estimate_sums" not in arrays:
        return None
    step, time = np.asarray(arrays["shadow_place"]).tolist()
    shadow = State(int(step), time, *(np.asarray(arrays[f"shadow_{name}"]) for name in _STATE))
    numbers = dict(zip(_SUMS, np.asarray(arrays["estimate_sums"]).tolist(), strict=True))
    sums = replace(Sums(**numbers), n_drawn=int(numbers["n_drawn"]), points=int(numbers["points"]))
    return ErrorEstimate(np.asarray(arrays["estimate_origin"]), shadow, sums)


def carried_over(shadow: State, twin: State, run: State, *, conserving: bool) -> State:
    """The run's own state, moved by the distance between shadow and twin.

    twin: propagated as the shadow was, from where the run was. conserving: the step keeps the occupations.
    """
    density = run.density + (shadow.density - twin.density)
    orbitals, occupations = run.orbitals, run.occupations
    if orbitals.shape[2]:
        orbitals, occupations = natural_orbitals(density)
        if conserving:
            k = run.occupations.shape[1]
            occupations = -np.sort(-run.occupations, axis=1)
            orbitals = _padded(orbitals, k)
            density = density_of(orbitals, occupations)
    return replace(
        run,
        orbitals=orbitals,
        occupations=occupations,
        density=density,
        fock=run.fock + (shadow.fock - twin.fock),
        fock_half=run.fock_half + (shadow.fock_half - twin.fock_half),
    )


def _padded(orbitals: np.ndarray, k: int) -> np.ndarray:
    """The first k orbitals, zeros where there are fewer."""
    found = np.zeros((*orbitals.shape[:2], k), dtype=complex)
    found[:, :, : min(k, orbitals.shape[2])] = orbitals[:, :, :k]
    return found
