"""Water's absorption spectrum from Python: one deck with kicks along x, y and z, and their average.

    python examples/water_spectrum.py

Writes the command's files where it is started, and the log in NWChem's format beside them.
"""

from pathlib import Path

import hybrid_propagate as hp


def main() -> None:
    """Prints how each run went, and the lines of the spectrum."""
    deck = Path(__file__).with_name("water_spectrum.nw")
    runs = hp.propagate_all(deck, tol=1e-3, log="water_spectrum.log")
    for run in runs:
        estimate = run.estimate
        print(f"{run.path.name}: {len(run.time)} points, estimated error {estimate.error:.1e}")
    print("energy (eV)  oscillator strength")
    for peak in hp.spectrum(*runs, emax=25.0).peaks:
        print(f"{peak.energy:11.3f}  {peak.strength:19.4f}")


if __name__ == "__main__":
    main()
