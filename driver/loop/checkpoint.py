"""A run's whole state as arrays, and back."""

import json
from collections.abc import Mapping

import numpy as np

from ...adapters.engine import Energies
from ...atomic.errors import BadInput
from ...surrogate.surrogate import Surrogate
from ..estimate.shadow import loaded
from ..propagators.state import State
from .controller import Ledger
from .progress import Progress, Tally

_STATE = ("orbitals", "occupations", "density", "fock", "fock_half")


def pack_checkpoint(progress: Progress, surrogate: Surrogate | None) -> dict[str, np.ndarray]:
    """Arrays by name; what the surrogate learned under `surrogate/`."""
    state, energies = progress.state, progress.energies
    arrays = {f"state_{name}": getattr(state, name) for name in _STATE}
    arrays["state_step"] = np.array(state.step)
    arrays["state_time"] = np.array(state.time)
    arrays["energies"] = np.array([energies.core, energies.coulomb, energies.exchange_correlation])
    arrays["energy_drift"] = np.array(progress.energy_drift)
    arrays["tally"] = np.array(json.dumps({**progress.tally.counts, **progress.tally.times}).encode())
    arrays.update(progress.ledger.save())
    if progress.estimate is not None:
        arrays.update(progress.estimate.save())
    if surrogate is not None:
        arrays.update({f"surrogate/{name}": value for name, value in surrogate.save().items()})
    return arrays


def unpack_checkpoint(arrays: Mapping[str, np.ndarray], surrogate: Surrogate | None) -> Progress:
    """The progress saved; `surrogate` becomes what it was. Raises BadInput."""
    sizes = Ledger(length=1).sizes()
    if any(name not in arrays or len(arrays[name]) != size for name, size in sizes.items()):
        raise BadInput("holds a checkpoint of an earlier version; run the deck without --restart")
    state = State(
        int(arrays["state_step"]),
        float(arrays["state_time"]),
        *(np.asarray(arrays[f"state_{name}"]) for name in _STATE),
    )
    ledger = Ledger(length=1)
    ledger.load(arrays)
    counts = json.loads(bytes(np.asarray(arrays["tally"]).item()))
    energies = Energies(*np.asarray(arrays["energies"]).tolist())
    if surrogate is not None:
        surrogate.load(surrogate_arrays(arrays))
    drift = float(np.asarray(arrays.get("energy_drift", 0.0)))
    return Progress(state, energies, ledger, Tally(**counts), loaded(arrays), drift)


def surrogate_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Only what the surrogate saved, under its own names."""
    lead = "surrogate/"
    return {name.removeprefix(lead): value for name, value in arrays.items() if name.startswith(lead)}
