"""What `hybrid-spectrum` prints and writes as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ..spectra.dichroism import RotatoryLine
    from ..spectra.harmonics import Emission
    from ..spectra.lines import AbsorptionLine
    from ..spectra.spectrum import Spectrum


def print_lines(spectrum: Spectrum) -> None:
    """Every line with its strength."""
    print(f"{'energy (eV)':>12} {'cross-section (bohr²)':>22} {'oscillator strength':>20}")
    for peak in spectrum.peaks:
        print(f"{peak.energy:12.3f} {peak.cross_section:22.4f} {peak.strength:20.4f}")


def print_fitted(lines: Sequence[AbsorptionLine]) -> None:
    """Undamped lines that make up the dipole."""
    print(f"{'fitted (eV)':>12} {'at most off by':>22} {'oscillator strength':>20}")
    for line in lines:
        print(f"{line.energy:12.3f} {line.energy_uncertainty:22.3f} {line.strength:20.4f}")


def print_rotatory(lines: Sequence[RotatoryLine]) -> None:
    """Circular dichroism: lines with both strengths."""
    print(
        f"{'fitted (eV)':>12} {'oscillator strength':>20} {'R (1e-40 esu² cm²)':>20} {'at most off by':>16}"
    )
    for line in lines:
        print(f"{line.energy:12.3f} {line.strength:20.4f} {line.rotatory:20.3f} {line.uncertainty:16.3f}")


def print_harmonics(emission: Emission) -> None:
    """Each order with its share of the first."""
    print(f"{'order':>12} {'energy (eV)':>14} {'emitted (au)':>14} {'of the first':>14}")
    for order, emitted in enumerate(emission.harmonics.tolist(), start=1):
        share = emitted / emission.harmonics[0]
        print(f"{order:12d} {order * emission.photon:14.3f} {emitted:14.4e} {share:14.4e}")


def emission_table(emission: Emission, name: str) -> str:
    """Columns of the `.dat` file: energy, order of the harmonic, emitted light."""
    rows = zip(emission.energy.tolist(), emission.intensity.tolist(), strict=True)
    lines = [
        f"# {name}",
        f"# |dipole acceleration|^2, Hann's window; photons of {emission.photon:.6f} eV",
        f"# {'energy/eV':>22} {'order':>22} {'intensity/au':>22}",
        *(f"  {e:22.10e} {e / emission.photon:22.10e} {s:22.10e}" for e, s in rows),
    ]
    return "\n".join(lines) + "\n"


def print_comparison(names: Sequence[str], spectra: Sequence[Spectrum]) -> None:
    """Lines of each further spectrum beside those of the first."""
    from ..spectra.comparison import line_pairs, relative_error

    first = spectra[0]
    for name, other in zip(names[1:], spectra[1:], strict=True):
        print(f"{name} against {names[0]}: spectrum nRMSE {relative_error(first, other):.2e}")
        print(f"{'energy (eV)':>12} {'strength':>10} {'difference (meV)':>18} {'of strength (%)':>17}")
        for pair in line_pairs(first, other):
            line = f"{pair.first.energy:12.3f} {pair.first.strength:10.4f}"
            if pair.other is None:
                print(f"{line} {'no line near':>18}")
                continue
            shift = 1e3 * (pair.other.energy - pair.first.energy)
            change = 100.0 * (pair.other.strength / pair.first.strength - 1.0)
            print(f"{line} {shift:18.1f} {change:17.2f}")


def table(spectrum: Spectrum, names: Sequence[str], band: np.ndarray | None = None) -> str:
    """Columns of the `.dat` file: energy, cross-section, its standard deviation in an ensemble (band), then
    Re and Im of each polarisability. Energies without light are left out.
    """
    import numpy as np

    labels = list(spectrum.polarisability)
    average = (
        "S(w) = (4 pi w / 3c) Im Tr alpha" if sorted(labels) == ["x", "y", "z"] else "4 pi w / c Im alpha"
    )
    columns = [spectrum.energy, spectrum.cross_section]
    heads = ["energy/eV", "cross-section/bohr^2"]
    if band is not None:
        columns.append(band)
        heads.append("deviation/bohr^2")
    for label in labels:
        alpha = spectrum.polarisability[label]
        columns += [np.real(alpha), np.imag(alpha)]
        heads += [f"Re-alpha-{label}/au", f"Im-alpha-{label}/au"]
    rows = np.column_stack(columns)
    lines = [
        *(f"# {name}" for name in names),
        f"# cross-section: {average}, {line_shape(spectrum)}",
        "# " + " ".join(f"{head:>22}" for head in heads),
        *("  " + " ".join(f"{v:22.10e}" for v in row) for row in rows[np.isfinite(rows).all(1)].tolist()),
    ]
    return "\n".join(lines) + "\n"


def line_shape(spectrum: Spectrum) -> str:
    """How lines are broadened, in words."""
    if spectrum.sigma:
        return f"Gaussian lines of standard deviation {spectrum.sigma:.6f} Hartree"
    return f"lines of half width {1.0 / spectrum.tau:.6f} Hartree (tau {spectrum.tau:g} au)"
