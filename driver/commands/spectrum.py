"""The command `hybrid-spectrum`: absorption spectra from trajectory stores and NWChem RT-TDDFT logs."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...atomic.arguments import CommandParser
from ...atomic.own_input import check_apart
from ..front_door.option_values import positive
from .ending import carry_out, fail, system_reason

if TYPE_CHECKING:
    from ..spectra.spectrum import Signal, Spectrum

_NAME = "hybrid-spectrum"
_DESCRIPTION = """Absorption spectrum from the dipole in a field, out of hybrid-propagate's .h5 files and any
NWChem RT-TDDFT log (plain or .gz): after delta kicks, and where a pulse has light. Runs along x, y and z are
averaged; they may lie in one log under several tags or in several files; parts of one run are joined. Prints
every line, and writes <output>.dat and a figure."""
#: FWHM over the standard deviation of a Gaussian.
_FWHM = 2.354820045
#: A stated error, relative to what --minus leaves, that is told of.
_MUCH = 0.02


#: Of figures, the first by default.
_FORMATS = ("png", "pdf", "svg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    return carry_out(_NAME, lambda: _run(options), "interrupted")


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-spectrum", description=_DESCRIPTION)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="with --compare, those of one spectrum joined by commas",
    )
    parser.add_argument("--tau", type=positive, default=50.0, help="damping time in au (default %(default)g)")
    parser.add_argument(
        "--width", type=positive, metavar="EV", help="full width of lines at half height, in place of --tau"
    )
    parser.add_argument(
        "--shape",
        choices=("lorentzian", "gaussian"),
        default="lorentzian",
        help="of lines (default %(default)s); gaussian needs --width",
    )
    parser.add_argument(
        "--emax", type=positive, default=40.0, help="highest energy in eV (default %(default)g)"
    )
    parser.add_argument("--pade", action="store_true", help="Padé approximant in place of zero padding")
    parser.add_argument("--tag", help="only the run of this tag")
    parser.add_argument("--geometry", help="the fragment whose dipole counts, where a log has several")
    parser.add_argument(
        "--kick",
        metavar="AXIS=IMPULSE",
        type=_kick,
        help="kick along x, y or z at the first point, in au, for files without the field "
        "(NWChem's Magnus: max * dt / 2)",
    )
    parser.add_argument(
        "--occupied",
        metavar="FIRST-LAST",
        type=_occupied,
        help="only what these occupied orbitals give, numbered from 1, such as core levels; for .h5 files",
    )
    parser.add_argument(
        "--dichroism",
        action="store_true",
        help="rotatory strengths too, of runs kicked along x, y and z that have the magnetic dipole",
    )
    parser.add_argument("--minus", type=Path, metavar="FILE", help="a run without field, to be taken off")
    several = parser.add_mutually_exclusive_group()
    several.add_argument("--compare", action="store_true", help="a spectrum for each FILE, and differences")
    several.add_argument(
        "--harmonics", action="store_true", help="the light that a run driven by a pulse sends out"
    )
    several.add_argument("--ensemble", action="store_true", help="runs kicked alike: their mean and band")
    parser.add_argument(
        "--format", choices=_FORMATS, help="of the figure (default: the ending of --output, else png)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PREFIX",
        help="with or without the figure's ending; default: the first file's stem + _spectrum",
    )
    return parser


def _kick(text: str) -> tuple[str, float]:
    axis, _, impulse = text.partition("=")
    try:
        size = float(impulse)
    except ValueError:
        size = 0.0
    if axis not in ("x", "y", "z") or not 0.0 < abs(size) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not an axis and an impulse such as z=1e-5")
    return axis, size


def _occupied(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        found = (int(first), int(last or first))
    except ValueError:
        found = (0, 0)
    if not 1 <= found[0] <= found[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: accepted: the numbers of orbitals, such as 1 or 2-4")
    return found


def _run(options: argparse.Namespace) -> int:
    if options.shape == "gaussian" and options.width is None:
        return fail(_NAME, "--shape gaussian needs --width, in eV", 2)
    groups = [[Path(name) for name in text.split(",")] for text in options.files]
    if not options.compare:
        groups = [[Path(text) for text in options.files]]
    prefix, ending = options.output or _prefix(groups[0][0]), options.format
    named = prefix.suffix.lower().removeprefix(".")
    if named in _FORMATS:
        if ending not in (None, named):
            return fail(_NAME, f"--output {prefix} and --format {ending} name two formats", 2)
        prefix, ending = prefix.with_suffix(""), named
    picture = Path(f"{prefix}.{ending or _FORMATS[0]}")
    tables = [Path(f"{prefix}.dat"), *(Path(f"{prefix}_{k}.dat") for k in range(1, len(groups) + 1))]
    check_apart([picture, *tables], [path for group in groups for path in group])
    try:
        if options.compare:
            written = _compare(options, groups, prefix, picture)
        elif options.harmonics:
            written = _harmonics(options, groups[0], prefix, picture)
        else:
            written = _one(options, groups[0], prefix, picture)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Where to write is the user's to say.
        return fail(_NAME, system_reason(error), 2)
    print("written:", *written)
    return 0


def _prefix(first: Path) -> Path:
    return Path(Path(first.name.removesuffix(".gz")).stem + "_spectrum")


def _one(options: argparse.Namespace, files: list[Path], prefix: Path, picture: Path) -> list[Path]:
    """One spectrum, or that of an ensemble. Raises SpectrumError, OSError."""
    from ...atomic.whole_file import write_whole
    from ..pictures.spectrum_figure import draw_spectrum
    from ..spectra.comparison import ensemble
    from .spectrum_table import print_lines, table

    signals = _signals(options, files)
    band = None
    if options.ensemble:
        tau, sigma = _broadening(options)
        found = ensemble(signals, tau, options.emax, sigma, pade=options.pade)
        spectrum, band = found.mean, found.band
        print(f"mean of {found.members} members")
    else:
        spectrum = _spectrum(options, signals)
    data = Path(f"{prefix}.dat")
    write_whole(data, table(spectrum, [signal.name for signal in signals], band))
    draw_spectrum(_title(signals, files), spectrum, picture, band)
    print_lines(spectrum)
    if not options.ensemble:
        _print_fitted(options, signals)
    if options.dichroism:
        _print_dichroism(options, signals)
    return [data, picture]


def _print_dichroism(options: argparse.Namespace, signals: list[Signal]) -> None:
    """Rotatory strengths of fitted lines. Raises SpectrumError."""
    from ..spectra.dichroism import rotatory_lines
    from ..spectra.lines import KickedRun
    from ..spectra.signals import error_of, kicked
    from ..spectra.spectrum import SpectrumError
    from .spectrum_table import print_rotatory

    runs = [kicked(signal) for signal in signals]
    if len(runs) < 3 or any(run is None for run in runs):
        raise SpectrumError("--dichroism needs runs after kicks along x, y and z")
    found = [KickedRun(run, error_of(run)) for run in runs if run is not None]
    print_rotatory(rotatory_lines(found, options.emax))


def _harmonics(options: argparse.Namespace, files: list[Path], prefix: Path, picture: Path) -> list[Path]:
    """The emission of one run. Raises SpectrumError, OSError."""
    from ...atomic.whole_file import write_whole
    from ..pictures.spectrum_figure import draw_emission
    from ..spectra.harmonics import emission
    from ..spectra.records import joined, read_records
    from ..spectra.spectrum import SpectrumError
    from .spectrum_table import emission_table, print_harmonics

    runs = joined([r for path in files for r in read_records(path, options.tag, options.geometry)])
    if len(runs) != 1:
        raise SpectrumError(f"--harmonics is for one run, not {len(runs)}; choose one with --tag")
    found = emission(runs[0], options.emax)
    data = Path(f"{prefix}.dat")
    write_whole(data, emission_table(found, runs[0].name))
    draw_emission(runs[0].title or files[0].name, found, picture)
    print_harmonics(found)
    return [data, picture]


def _is_short(options: argparse.Namespace, signals: list[Signal]) -> bool:
    """Whether the damping cuts the shortest run off."""
    span = min(float(signal.time[-1] - signal.time[0]) for signal in signals)
    return span < 3.0 * _broadening(options)[0] and not options.pade


def _print_fitted(options: argparse.Namespace, signals: list[Signal]) -> None:
    """Lines fitted to runs after kicks and short pulses: neither damped nor moved by their neighbours."""
    from ..spectra.lines import KickedRun, absorption_lines
    from ..spectra.signals import error_of, kicked
    from ..spectra.spectrum import SpectrumError
    from .spectrum_table import print_fitted

    runs = [kicked(signal) for signal in signals]
    if any(run is None for run in runs):
        return
    with contextlib.suppress(SpectrumError):
        found = [KickedRun(run, error_of(run)) for run in runs if run is not None]
        print_fitted(absorption_lines(found, options.emax))


def _compare(
    options: argparse.Namespace, groups: list[list[Path]], prefix: Path, picture: Path
) -> list[Path]:
    """A spectrum for each group of files. Raises SpectrumError, OSError."""
    from ...atomic.whole_file import write_whole
    from ..pictures.spectrum_figure import draw_overlay
    from ..spectra.spectrum import SpectrumError
    from .spectrum_table import print_comparison, table

    if len(groups) < 2:
        raise SpectrumError("--compare needs two spectra: FILE FILE, or X.h5,Y.h5,Z.h5 FILE")
    of_each = [_signals(options, files) for files in groups]
    spectra = [_spectrum(options, signals) for signals in of_each]
    names = [",".join(map(str, files)) for files in groups]
    written = [Path(f"{prefix}_{k}.dat") for k in range(1, len(groups) + 1)]
    for path, spectrum, signals in zip(written, spectra, of_each, strict=True):
        write_whole(path, table(spectrum, [signal.name for signal in signals]))
    draw_overlay(_title(of_each[0], groups[0]), names, spectra, picture)
    print_comparison(names, spectra)
    return [*written, picture]


def _signals(options: argparse.Namespace, files: list[Path]) -> list[Signal]:
    import numpy as np

    from ..spectra.records import read_records
    from ..spectra.signals import error_of, signals_of

    if options.occupied is not None:
        return _of_orbitals(options, files)
    kick = None
    if options.kick is not None:
        axis, impulse = options.kick
        kick = (np.eye(3)["xyz".index(axis)], impulse)
    records = [record for path in files for record in read_records(path, options.tag, options.geometry)]
    still = None
    if options.minus is not None:
        still = read_records(options.minus, None, options.geometry)[0]
    found = signals_of(records, kick, still)
    if still is not None and (wrong := max(map(error_of, found))) > _MUCH:
        _note(
            f"the errors that the runs state may be {100.0 * wrong:.0f} % of what is left: "
            "a tolerance is of all that moves; a smaller --tol of both makes them less"
        )
    return found


def _of_orbitals(options: argparse.Namespace, files: list[Path]) -> list[Signal]:
    """What some occupied orbitals give, of trajectory files. Raises SpectrumError."""
    from ..spectra.records import read_records
    from ..spectra.response import read_response
    from ..spectra.signals import signals_of
    from ..spectra.spectrum import SpectrumError
    from ..spectra.window import partial_signal

    if options.kick is not None or options.minus is not None:
        raise SpectrumError("--occupied goes neither with --kick nor with --minus")
    found = []
    for path in files:
        if path.suffix != ".h5":
            raise SpectrumError(f"{path}: --occupied needs a trajectory file, <start>.h5")
        (signal,) = signals_of(read_records(path, options.tag, options.geometry))
        found.append(partial_signal(signal, read_response(path), options.occupied))
    return found


def _broadening(options: argparse.Namespace) -> tuple[float, float]:
    """tau, and sigma of Gaussian lines or 0, au."""
    from ...atomic.units import EV_PER_HARTREE

    if options.width is None:
        return options.tau, 0.0
    width = options.width / EV_PER_HARTREE
    return 2.0 / width, width / _FWHM if options.shape == "gaussian" else 0.0


def _spectrum(options: argparse.Namespace, signals: list[Signal]) -> Spectrum:
    """The spectrum of runs, with notes on what it cannot tell. Raises SpectrumError."""
    from ..answer.printed import MOST_OF_ELECTRONS
    from ..spectra.spectrum import absorption, field_goes_on

    tau, sigma = _broadening(options)
    spectrum = absorption(signals, tau, options.emax, pade=options.pade, sigma=sigma)
    span = min(float(signal.time[-1] - signal.time[0]) for signal in signals)
    if _is_short(options, signals):
        _note(
            f"{span:g} au are short for a damping of {tau:g} au: lines have side lobes; "
            "a smaller --tau or --pade removes them, and fitted lines have none"
        )
    for signal in filter(field_goes_on, signals):
        _note(
            f"{signal.name}: the field has not ended with the run, and a field cut off has light at every "
            "energy: a longer tmax is needed"
        )
    electrons = next((signal.electrons for signal in signals if signal.electrons), None)
    if electrons is not None and spectrum.strength > MOST_OF_ELECTRONS * electrons:
        _note(
            f"strengths add up to {spectrum.strength:.1f}, more than the {electrons} electrons: is the kick "
            "right, and weak enough?"
        )
    return spectrum


def _note(text: str) -> None:
    print(f"{_NAME}: note: {text}", file=sys.stderr)


def _title(signals: list[Signal], files: list[Path]) -> str:
    """The deck's title, else the files' names."""
    titles = dict.fromkeys(signal.title for signal in signals if signal.title)
    return ", ".join(titles) or ", ".join(dict.fromkeys(path.name for path in files))


if __name__ == "__main__":
    from . import start

    sys.exit(start.spectrum())
