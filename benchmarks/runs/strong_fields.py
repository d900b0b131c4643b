r"""Strong fields: Fock builds, true and stated error, processor seconds, against reference steps alone.

OMP_NUM_THREADS=1 python benchmarks/runs/strong_fields.py [--tol 1e-2 1e-3] [--seeds 1] [--without] \
    [--engine nwchem] [--surrogate response rollout] [--against COMMAND] [case ...]

With --without each row is followed by one of the same program without the points. With --engine nwchem an
installed NWChem makes the reference steps, and its own points are counted; its seconds are in all others.
With --surrogate each row is made by each of them, response being the default. With --against each is preceded
by one of another version of this program, whose command that is:

git worktree add ../old/hybrid_propagate 060d47f
... --against "env PYTHONPATH=$PWD/../old $PWD/.venv/bin/python -m hybrid_propagate.driver.propagate_command"

The last three cases have shaped no constant.
"""

import argparse
import shlex
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from hybrid_propagate.driver.bench.deck_run import DeckRun, deck_with_steps, run_deck
from hybrid_propagate.driver.bench.score import trajectory_error
from hybrid_propagate.driver.bench.tables import markdown

DECKS = Path(__file__).parents[1] / "decks"
#: Begins the draw of training rotations elsewhere, then runs the command; seed 0: no points at all.
SEEDED = """import sys
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.run import surrogates
from hybrid_propagate.surrogate.nonlinear import nonlinear_response
nonlinear_response.SEED = int(sys.argv[1])
if nonlinear_response.SEED == 0:
    surrogates.LEAST_STEPS = sys.maxsize
sys.exit(main(sys.argv[2:]))"""


@dataclass(frozen=True)
class Pulse:
    """A Gaussian pulse along z, atomic units, on a molecule (atoms in Ångström), 6-31G, dt 0.2 au."""

    atoms: str
    xc: str
    frequency: float
    maximum: float
    charge: int = 0
    multiplicity: int = 1

    def deck(self) -> str:
        """As NWChem reads it, too."""
        atoms = "\n".join(f"  {atom}" for atom in self.atoms.split("; "))
        open_shell = f"\n  odft\n  mult {self.multiplicity}" if self.multiplicity > 1 else ""
        return f"""start pulse
charge {self.charge}
geometry "pulse" units angstroms nocenter noautosym noautoz
{atoms}
end
set geometry "pulse"
basis
  * library 6-31G
end
dft
  xc {self.xc}{open_shell}
end
task dft energy
rt_tddft
  tmax 120.1
  dt 0.2
  field "pulse"
    type gaussian
    polarization z
    frequency {self.frequency}
    center 40.0
    width 15.0
    max {self.maximum}
  end
  excite "pulse" with "pulse"
  print dipole field energy convergence
end
task dft rt_tddft
"""


WATER = "O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692"
ETHANOL = (
    "C -1.19282 -0.47996 0; C 0.31918 -0.47996 0; O 0.75663 0.88254 0; H 1.72678 0.84187 0; "
    "H -1.57455 -1.50093 0; H -1.57455 0.03053 -0.88419; H -1.57455 0.03053 0.88419; "
    "H 0.69883 -0.98575 0.89390; H 0.69883 -0.98575 -0.89390"
)
AMMONIA = "N 0 0 0.1162; H 0 0.9377 -0.2712; H 0.8121 -0.4689 -0.2712; H -0.8121 -0.4689 -0.2712"
CAM = "xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00\n  cam 0.33 cam_alpha 0.19 cam_beta 0.46"
#: Name: deck and steps.
CASES: dict[str, tuple[Path | Pulse, int]] = {
    "water, ionising field": (DECKS / "water_ionised.nw", 600),
    "water, resonant pulse": (DECKS / "water_pulse.nw", 2500),
    "water, pump and probe": (DECKS / "water_pump_probe.nw", 2000),
    "H2O+, pulse": (Pulse(WATER, "pbe0", 0.378, 0.02, 1, 2), 600),
    "ethanol, pulse": (Pulse(ETHANOL, "pbe0", 0.32, 0.02), 600),
    "LiH, pulse": (Pulse("Li 0 0 0; H 0 0 1.5949", "pbe0", 0.16, 0.01), 600),
    "H2CO, B3LYP, pulse": (
        Pulse("C 0 0 -0.527; O 0 0 0.678; H 0 0.937 -1.115; H 0 -0.937 -1.115", "b3lyp", 0.36, 0.02),
        600,
    ),
    "CO, PBE, pulse": (Pulse("C 0 0 0; O 0 0 1.128", "xpbe96 cpbe96", 0.33, 0.03), 600),
    "NH3, PBE0, pulse": (Pulse(AMMONIA, "pbe0", 0.26, 0.03), 600),
    "HCN, CAM-B3LYP, pulse": (Pulse("H 0 0 -1.066; C 0 0 0; N 0 0 1.153", CAM, 0.33, 0.02), 600),
}
HEADER = (
    *("case", "steps", "--tol", "true error", "stated", "met", "builds, reference", "builds, hybrid"),
    *("anchors", "refinements", "rejected", "CPU s, reference", "CPU s, hybrid"),
    *("NWChem's points, reference", "NWChem's points, hybrid"),
)


def main() -> None:
    """One row for each case and tolerance as it comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="case", help="; ".join(CASES))
    parser.add_argument("--tol", type=float, nargs="+", default=[1e-2, 1e-3])
    parser.add_argument("--seeds", type=int, default=1, help="draws of the points, each a row")
    parser.add_argument("--without", action="store_true", help="a row without the points, too")
    parser.add_argument("--engine", choices=("pyscf", "nwchem"), default="pyscf")
    parser.add_argument("--surrogate", choices=("response", "rollout"), nargs="+", default=["response"])
    parser.add_argument("--against", type=shlex.split, default=[], metavar="COMMAND", help="another version")
    arguments = parser.parse_args()
    common = ("--engine", arguments.engine, "--save-density", "0")
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"{', '.join(sorted(unknown))}: no such case; accepted: {'; '.join(CASES)}")
    print(markdown(HEADER, []), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.cases or CASES:
            given, n_steps = CASES[name]
            deck = given
            if isinstance(given, Pulse):
                deck = Path(folder) / "pulse.nw"
                deck.write_text(given.deck())
            deck = deck_with_steps(deck, n_steps)
            reference = run_deck(deck, "--surrogate", "none", *common)
            seeds = [*range(1, arguments.seeds + 1), *([0] if arguments.without else [])]
            for tolerance, seed, surrogate in product(arguments.tol, seeds, arguments.surrogate):
                options = ("--tol", str(tolerance), "--surrogate", surrogate, *common)
                command = [sys.executable, "-c", SEEDED, str(seed), "deck.nw", *options]
                if arguments.against:
                    other = run_deck(deck, command=[*arguments.against, "deck.nw", *options])
                    print(row(f"{name}, other version", n_steps, tolerance, other, reference), flush=True)
                run = run_deck(deck, command=command)
                drawn = f"seed {seed}" if seed else "without points"
                told = f"{name}, {surrogate}, {drawn}"
                print(row(told, n_steps, tolerance, run, reference), flush=True)


def row(name: str, n_steps: int, tolerance: float, run: DeckRun, reference: DeckRun) -> str:
    """A row of the table."""
    s = run.summary
    true = trajectory_error(run.dipole, reference.dipole)
    cells = [name, str(n_steps), f"{tolerance:g}", f"{true:.1e}", f"{s['estimated_error']:.1e}"]
    cells += ["yes" if s["tolerance_met"] else "no", str(reference.summary["fock_builds"])]
    cells += [str(s[key]) for key in ("fock_builds", "anchors", "refinements", "rejected")]
    cells += [f"{reference.cpu:.0f}", f"{run.cpu:.0f}"]
    for made in (reference, run):
        nwchem = made.summary.get("nwchem")
        cells.append(str(nwchem["points"]) if nwchem else "")
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
