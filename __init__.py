"""RT-TDDFT of NWChem decks in minutes, with a stated error.

    import hybrid_propagate as hp

    run = hp.propagate("water.nw")                  # a deck in, a Run out; writes the command's files
    run.time, run.dipole                            # (T,) au, (T, 3) au
    print(run.lines())
    print(run.estimate)

`propagate` and `propagate_all` run decks, `pump_probe` runs a pump with probes at many delays, `open_run`
opens an earlier run, `spectrum` and `lines` make one spectrum, or its lines, of several runs or NWChem logs,
`read_deck` reads a deck, `solve_atom` solves one atom, `campaign` carries out many runs. Errors are a
`BadInput` or a `Failed`, and both are a `HybridPropagateError`. Names import what they need when they are
first used.
"""

from __future__ import annotations

from .atomic.environment import settle

settle()
#: True for type checkers; `typing` itself would be a tenth of what this import may take.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .adapters.deck import Deck as Deck
    from .adapters.deck.reader import read_deck as read_deck
    from .atomic.errors import BadInput as BadInput
    from .atomic.errors import Failed as Failed
    from .atomic.errors import HybridPropagateError as HybridPropagateError
    from .driver.campaign.campaign import Campaign as Campaign
    from .driver.campaign.campaign import campaign as campaign
    from .driver.front_door.atom import solve_atom as solve_atom
    from .driver.front_door.propagate import propagate as propagate
    from .driver.front_door.propagate import propagate_all as propagate_all
    from .driver.front_door.pump_probe import pump_probe as pump_probe
    from .driver.front_door.run import Estimate as Estimate
    from .driver.front_door.run import Run as Run
    from .driver.front_door.run import open_run as open_run
    from .driver.front_door.spectrum import lines as lines
    from .driver.front_door.spectrum import spectrum as spectrum
    from .driver.pump_probe.change import PumpProbeMap as PumpProbeMap
    from .driver.spectra.lines import AbsorptionLine as AbsorptionLine
    from .driver.spectra.spectrum import Peak as Peak
    from .driver.spectra.spectrum import Spectrum as Spectrum

__all__ = [
    "AbsorptionLine",
    "BadInput",
    "Campaign",
    "Deck",
    "Estimate",
    "Failed",
    "HybridPropagateError",
    "Peak",
    "PumpProbeMap",
    "Run",
    "Spectrum",
    "campaign",
    "lines",
    "open_run",
    "propagate",
    "propagate_all",
    "pump_probe",
    "read_deck",
    "solve_atom",
    "spectrum",
]

#: Where each name comes from.
_MODULES = {
    "AbsorptionLine": ".driver.spectra.lines",
    "BadInput": ".atomic.errors",
    "Campaign": ".driver.campaign.campaign",
    "Deck": ".adapters.deck",
    "Estimate": ".driver.front_door.run",
    "Failed": ".atomic.errors",
    "HybridPropagateError": ".atomic.errors",
    "Peak": ".driver.spectra.spectrum",
    "PumpProbeMap": ".driver.pump_probe.change",
    "Run": ".driver.front_door.run",
    "Spectrum": ".driver.spectra.spectrum",
    "campaign": ".driver.campaign.campaign",
    "lines": ".driver.front_door.spectrum",
    "open_run": ".driver.front_door.run",
    "propagate": ".driver.front_door.propagate",
    "propagate_all": ".driver.front_door.propagate",
    "pump_probe": ".driver.front_door.pump_probe",
    "read_deck": ".adapters.deck.reader",
    "solve_atom": ".driver.front_door.atom",
    "spectrum": ".driver.front_door.spectrum",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
        return found


def __dir__() -> list[str]:
    return [*__all__, "__doc__"]
