"""A run's whole state as arrays, and back."""

import json
from collections.abc import Mapping

import numpy as np

from ...adapters.engine import Energies
from ...atomic.errors import BadInput
from ...surrogate.surrogate import FORMED, Surrogate
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
    """The progress saved; `surrogate` becomes what it was.

    Raises BadInput; KeyError, ValueError and their like for arrays that do not fit.
    """
    sizes = Ledger(length=1).sizes()
    if any(name not in arrays or len(arrays[name]) != size for name, size in sizes.items()):
        raise BadInput("holds a checkpoint of an earlier version; run the deck without --restart")
    state = State(
        int(arrays["state_step"]),
        float(arrays["state_time"]),
        *(np.asarray(arrays[f"state_{name}"]) for name in _STATE),
    )
    ledger = Ledger(length=1)
    _check_fits(arrays, ledger.save())
    ledger.load(arrays)
    counts = json.loads(bytes(np.asarray(arrays["tally"]).item()))
    energies = Energies(*np.asarray(arrays["energies"]).tolist())
    if surrogate is not None:
        learned = surrogate_arrays(arrays)
        if _same_kind(made := surrogate.save(), learned):
            _check_fits(learned, made)
        surrogate.load(learned)
        made = surrogate.save()
        # Arrays that do not fit one another are not what it would save now.
        for name, array in made.items() if _same_kind(made, learned) else ():
            if not np.array_equal(array, learned[name]):
                raise ValueError(f"surrogate/{name} does not fit the rest")
    drift = float(np.asarray(arrays["energy_drift"]))
    return Progress(state, energies, ledger, Tally(**counts), loaded(arrays), drift)


def _same_kind(made: Mapping[str, np.ndarray], learned: Mapping[str, np.ndarray]) -> bool:
    """Whether a surrogate that saves `made` is of the kind that saved `learned`."""
    return (FORMED in made) == (FORMED in learned)


def _check_fits(arrays: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray]) -> None:
    """Raise KeyError or ValueError unless the arrays are of the kinds and widths of those `made` now."""
    for name, wanted in made.items():
        found = np.asarray(arrays[name])
        widths = zip(found.shape[1:], wanted.shape[1:], strict=False)
        if (
            found.ndim != wanted.ndim
            or found.dtype.kind not in ("c" if wanted.dtype.kind == "c" else "biuf")
            or any(there and width != there for width, there in widths)
        ):
            raise ValueError(f"{name} has shape {found.shape} and kind {found.dtype}")


def surrogate_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Only what the surrogate saved, under its own names."""
    lead = "surrogate/"
    return {name.removeprefix(lead): value for name, value in arrays.items() if name.startswith(lead)}
