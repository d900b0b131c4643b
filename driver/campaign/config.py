"""What a campaign is of: a YAML file as typed values. `examples/campaign.yaml` explains every entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ...adapters.files.configuration import FORBID, Source, read_configuration
from ...atomic.errors import BadInput
from ..front_door.options import OptionError, all_options, check_use
from ..front_door.pump_probe import SURROGATES, TAKEN
from ..spectra.spectrum import DAMPING, HIGHEST


class CampaignError(BadInput):
    """A campaign that cannot be carried out as it is written. One line."""


#: Of what a table lists or draws.
_MOST_COUNT = 10_000
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Axis = Literal["x", "y", "z"]


@dataclass(frozen=True)
class Range:
    """`count` values from the first to the last, evenly spaced, or by equal ratios."""

    __pydantic_config__ = FORBID
    first: Annotated[float, Field(alias="from", allow_inf_nan=False)]
    last: Annotated[float, Field(alias="to", allow_inf_nan=False)]
    count: Annotated[int, Field(ge=2, le=_MOST_COUNT)]
    spacing: Literal["even", "ratio"] = "even"


@dataclass(frozen=True)
class MoleculeLevel:
    """A molecule without a deck: a name that ASE knows or atoms in Å, a level, and a time to propagate.

    functional: in NWChem's words. basis: by its library name. tmax, dt: au.
    """

    __pydantic_config__ = FORBID
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]+$")]
    functional: str
    basis: str
    tmax: Positive
    dt: Positive = 0.2
    atoms: str | None = None
    charge: int = 0
    multiplicity: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Thermal:
    """Geometries of a temperature, from the molecule's own harmonic frequencies.

    temperature: K. distribution: of the modes' positions: Wigner's, with zero-point motion, or Boltzmann's.
    """

    __pydantic_config__ = FORBID
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    count: Annotated[int, Field(ge=1, le=_MOST_COUNT)]
    distribution: Literal["wigner", "classical"] = "wigner"
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class GeometryChoice:
    """Where geometries come from: a file of any format that ASE reads, or generated; exactly one."""

    __pydantic_config__ = FORBID
    file: Path | None = None
    thermal: Thermal | None = None


@dataclass(frozen=True)
class Kicks:
    """Delta kicks in place of the deck's fields. size: the field's `max`, au."""

    __pydantic_config__ = FORBID
    along: Annotated[tuple[Axis, ...], Field(min_length=1)]
    size: Positive = 1e-4


@dataclass(frozen=True)
class FieldSweep:
    """Parameters of one field of the deck, by the deck's words; au."""

    __pydantic_config__ = FORBID
    max: tuple[Number, ...] | Range | None = None
    frequency: tuple[Number, ...] | Range | None = None
    phase: tuple[Number, ...] | Range | None = None
    center: tuple[Number, ...] | Range | None = None
    width: tuple[Number, ...] | Range | None = None
    start: tuple[Number, ...] | Range | None = None
    polarization: Annotated[tuple[Axis, ...], Field(min_length=1)] | None = None


@dataclass(frozen=True)
class PumpProbeAxis:
    """A map of the deck's pump and a probe at every delay, as by `hybrid-pump-probe`.

    delays: of the probe's centre behind the pump's, au. probe: the field that is moved.
    window: au that each probe is followed; None: what the deck's tmax leaves behind the last one.
    """

    __pydantic_config__ = FORBID
    delays: tuple[Number, ...] | Range
    probe: str = "probe"
    window: Positive | None = None


@dataclass(frozen=True)
class Axes:
    """What varies beside the geometry; every value is combined with every other."""

    __pydantic_config__ = FORBID
    kicks: Kicks | None = None
    fields: Mapping[str, FieldSweep] | None = None
    functionals: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    bases: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    dt: tuple[Positive, ...] | Range | None = None
    pump_probe: PumpProbeAxis | None = None


@dataclass(frozen=True)
class SpectrumChoice:
    """How spectra are made: damping time in au, highest energy in eV."""

    __pydantic_config__ = FORBID
    tau: Positive = DAMPING
    emax: Positive = HIGHEST


@dataclass(frozen=True)
class CampaignConfig:
    """The whole file.

    folder: where everything goes.
    deck, molecule: what is propagated; exactly one.
    geometries: None for the deck's or molecule's own.
    options: of `hybrid-propagate`, with underscores for hyphens.
    """

    __pydantic_config__ = FORBID
    folder: Path
    deck: Path | None = None
    molecule: MoleculeLevel | None = None
    geometries: GeometryChoice | None = None
    axes: Axes = Axes()
    options: Mapping[str, Any] | None = None
    spectrum: SpectrumChoice = SpectrumChoice()


#: What a campaign decides by itself.
_OWN_OPTIONS = ("prior", "restart", "report", "threads", "keep_scratch")
#: Those that maps of pump and probe take.
_OF_MAPS = tuple(option.name for option in TAKEN if option.name not in _OWN_OPTIONS)


def read_config(path: Path) -> tuple[CampaignConfig, Source]:
    """Read a configuration; relative paths start at the working folder. Raises CampaignError."""
    config, source = read_configuration(path, CampaignConfig, CampaignError)
    if (config.deck is None) == (config.molecule is None):
        raise source.refused((), "exactly one of deck and molecule is wanted")
    chosen = config.geometries
    if chosen is not None and (chosen.file is None) == (chosen.thermal is None):
        raise source.refused(("geometries",), "exactly one of file and thermal is wanted")
    axes = config.axes
    if axes.kicks is not None and axes.fields:
        raise source.refused(("axes",), "kicks take the place of the deck's fields; give kicks or fields")
    if axes.kicks is not None and axes.pump_probe is not None:
        raise source.refused(("axes",), "kicks take the place of pump and probe; give kicks or pump_probe")
    if config.molecule is not None and axes.pump_probe is not None:
        raise source.refused(("axes", "pump_probe"), "a pump and a probe need a deck with both fields")
    if config.molecule is not None and axes.kicks is None:
        raise source.refused(("axes",), "a molecule without a deck needs kicks, such as {along: [x, y, z]}")
    for name, value in (config.options or {}).items():
        if name in _OWN_OPTIONS:
            raise source.refused(("options", name), "the campaign decides this by itself")
        if axes.pump_probe is not None and name not in _OF_MAPS:
            raise source.refused(("options", name), f"not for pump_probe; accepted: {', '.join(_OF_MAPS)}")
        if axes.pump_probe is not None and name == "surrogate" and value not in SURROGATES:
            accepted = ", ".join(SURROGATES)
            raise source.refused(("options", name), f"{value!r} is not for pump_probe; accepted: {accepted}")
    try:
        check_use(all_options(config.options or {}))
    except OptionError as error:
        raise source.refused(("options",), str(error)) from error
    return config, source
