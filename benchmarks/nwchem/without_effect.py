"""Which lines change nothing in NWChem's own propagation: a kicked water molecule with each and without.

    python benchmarks/nwchem/without_effect.py [--nwchem nwchem] [WORD...]

A row a line: the largest difference of dipoles (au) and energies (Hartree), or how NWChem stops. WORDs pick
lines that begin with one of them.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

DECK = """start w
geometry "m" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.1173
  H 0.0 0.7572 -0.4692
  H 0.0 -0.7572 -0.4692
end
set geometry "m"
basis
  * library sto-3g
end
dft
  xc pbe0
{dft}
end
{middle}
task dft energy
rt_tddft
  tmax 1.2
  dt 0.2
  print dipole energy
  field "k"
    type delta
    polarization z
    max 0.01
  end
  excite "m" with "k"
end
task dft rt_tddft
"""
MIDDLE = (
    *("property\n dipole\nend", "driver\n maxiter 5\nend", "freq\n reuse\nend", "esp\n recalculate\nend"),
    *("nwpw\n simulation_cell\n ngrid 16 16 16\n end\n cutoff 10\nend", "pspw\n cutoff 10\nend"),
    *("md\n data 10\nend", "mp2\n freeze core\nend", "tce\n ccsd\nend", "ccsd\n freeze core\nend"),
    *("neb\n nbeads 5\nend", "raman\n normal 7\nend", "python\n print(1)\nend", "stepper\n maxiter 5\nend"),
    *("qmd\n nstep_nucl 5\nend", "constraints\n fix atom 1\nend", "cosmo\n dielec 10\nend"),
    "tddft\n civecs\n cis\n target 1\n grad\n root 1\n end\nend",
    *("set fock:mirrmat f", "set int:acc_std 1d-12", "set driver:linopt 0", "set prop:newaoresp 1"),
    *("set dft:print_mats T", "echo two words"),
    *("set tce:nts T", "set cphf:maxsub 30", "set hess:maxiter 3", "set nwpw:cutoff 10", "set ga:foo 1"),
    *("set lindep:n_dep 0", "set fock:density_screen f", 'set atomscf:tags_z "H"', 'unset "task:*"'),
)
DFT = (
    *("disp vdw 3", "xdm a1 0.3 a2 2.1", "steric", "vspec", "swapab", "lock", "max_ovl"),
    *("grid lebedev 75 11", "grid ssf", "grid becke", "grid treutler", "grid rm fine", "grid euler fine"),
    *("grid medium erf1", "grid delley"),
)


def series(nwchem: str, dft: str, middle: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Dipoles (k, 4), energies (k, 2), each led by its time, and NWChem's last words where it stopped."""
    number = r"\s+(\S+)"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "d.nw").write_text(DECK.format(dft=dft, middle=middle))
        done = subprocess.run([nwchem, "d.nw"], cwd=folder, capture_output=True, text=True, check=False)
    found = (
        re.findall(rf"<rt_tddft>:{number * count}\s+# {what}", done.stdout)
        for count, what in ((4, "Dipole"), (2, "Etot"))
    )
    dipoles, energies = (np.array(rows, dtype=float) for rows in found)
    words = re.findall(r"ARMCI Error: \d+:(.*)", done.stderr)
    return dipoles, energies, words[0] if words else ""


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--nwchem", default="nwchem")
    arguments = parser.parse_args()
    dipoles, energies, _ = series(arguments.nwchem, "", "")
    print("| line | dipole, au | energy, Ha |\n|---|---|---|")
    for line, dft, middle in (*(("dft " + x, x, "") for x in DFT), *((x, "", x) for x in MIDDLE)):
        title = line.split("\n")[0]
        if arguments.words and not title.startswith(tuple(arguments.words)):
            continue
        found, total, words = series(arguments.nwchem, dft, middle)
        if found.shape != dipoles.shape:
            print(f"| `{title}` | stops: {words} | |", flush=True)
        else:
            apart = np.abs(found - dipoles).max(), np.abs(total - energies).max()
            print(f"| `{title}` | {apart[0]:.1e} | {apart[1]:.1e} |", flush=True)


if __name__ == "__main__":
    main()
