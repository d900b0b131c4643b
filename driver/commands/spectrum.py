"""The command `hybrid-spectrum`: absorption spectra from trajectory stores and NWChem RT-TDDFT logs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...atomic.arguments import CommandParser
from ..front_door.option_values import positive
from .ending import carry_out, fail, system_reason

if TYPE_CHECKING:
    from ..spectra.spectrum import Spectrum

_DESCRIPTION = """Absorption spectrum from the dipole after delta kicks, out of hybrid-propagate's .h5 files
and any NWChem RT-TDDFT log (plain or .gz). Runs kicked along x, y and z are averaged; they may lie in one log
under several tags or in several files. Writes <output>.dat and <output>.png."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().read(arguments)
    return carry_out("hybrid-spectrum", lambda: _run(options), "interrupted")


def _parser() -> CommandParser:
    parser = CommandParser(prog="hybrid-spectrum", description=_DESCRIPTION)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--tau", type=positive, default=50.0, help="damping time in au (default %(default)g)")
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
        "--output", type=Path, metavar="PREFIX", help="default: the first file's stem + _spectrum"
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


def _run(options: argparse.Namespace) -> int:
    import numpy as np

    from ...adapters.files.whole_file import write_whole
    from ..pictures.plot import plot_spectrum
    from ..spectra.signals import read_signals
    from ..spectra.spectrum import absorption

    kick = None
    if options.kick is not None:
        axis, impulse = options.kick
        kick = (np.eye(3)["xyz".index(axis)], impulse)
    signals = [
        signal for path in options.files for signal in read_signals(path, options.tag, options.geometry, kick)
    ]
    spectrum = absorption(signals, options.tau, options.emax, pade=options.pade)
    span = min(float(signal.time[-1] - signal.time[0]) for signal in signals)
    if span < 3.0 * options.tau and not options.pade:
        print(
            f"hybrid-spectrum: note: {span:g} au are short for a damping of {options.tau:g} au: lines have "
            "side lobes; a smaller --tau or --pade removes them",
            file=sys.stderr,
        )
    prefix = options.output or Path(options.files[0].name.removesuffix(".gz")).with_suffix("")
    if options.output is None:
        prefix = prefix.with_name(prefix.name + "_spectrum")
    data, picture = Path(f"{prefix}.dat"), Path(f"{prefix}.png")
    try:
        write_whole(data, table(spectrum, [signal.name for signal in signals]))
        plot_spectrum(", ".join(dict.fromkeys(path.name for path in options.files)), spectrum, picture)
    except OSError as error:
        # Where to write is the user's to say.
        return fail("hybrid-spectrum", system_reason(error), 2)
    print(f"{'energy (eV)':>12} {'cross-section (bohr²)':>22} {'oscillator strength':>20}")
    for peak in spectrum.peaks:
        print(f"{peak.energy:12.3f} {peak.cross_section:22.4f} {peak.strength:20.4f}")
    print(f"written: {data} {picture}")
    return 0


def table(spectrum: Spectrum, names: Sequence[str]) -> str:
    """Columns of the `.dat` file: energy, cross-section, then Re and Im of each polarisability."""
    import numpy as np

    labels = list(spectrum.polarisability)
    average = (
        "S(w) = (4 pi w / 3c) Im Tr alpha" if sorted(labels) == ["x", "y", "z"] else "4 pi w / c Im alpha"
    )
    columns = [spectrum.energy, spectrum.cross_section]
    heads = ["energy/eV", "cross-section/bohr^2"]
    for label in labels:
        alpha = spectrum.polarisability[label]
        columns += [np.real(alpha), np.imag(alpha)]
        heads += [f"Re-alpha-{label}/au", f"Im-alpha-{label}/au"]
    width = f"lines of half width {1.0 / spectrum.tau:.6f} Hartree (tau {spectrum.tau:g} au)"
    lines = [
        *(f"# {name}" for name in names),
        f"# cross-section: {average}, {width}",
        "# " + " ".join(f"{head:>22}" for head in heads),
        *("  " + " ".join(f"{v:22.10e}" for v in row) for row in np.column_stack(columns).tolist()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from . import start

    sys.exit(start.spectrum())
