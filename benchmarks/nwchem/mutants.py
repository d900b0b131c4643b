"""Decks with a mistake or a change in them, here and in NWChem: the same ones accepted, the same numbers.

    OMP_NUM_THREADS=1 python benchmarks/nwchem/mutants.py compared.jsonl --compare 300
    OMP_NUM_THREADS=1 python benchmarks/nwchem/mutants.py --read 20000

`--compare N`: until N mutants that are read, and that change what is computed, have been run by plain NWChem
and by `--surrogate none`. Prints counts, and every one that only one of the two carries out or whose numbers
differ; `neither` and `SCF`, where NWChem's SCF alone does not converge, are not among the N. What is in the
file is not run again. `--read N`: N mutants are read only, and anything but a deck or
one line that says where it is wrong is counted as a fault, as is more than ten seconds.
"""

import argparse
import dataclasses
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hybrid_propagate as hp
import numpy as np
from hybrid_propagate.adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.log.reader import LogError, read_log

_TIGHT = "convergence energy 1d-9 density 1d-8 gradient 1d-7"
#: Small decks that between them have most directives; all are read, and NWChem 7.0.2 runs all of them.
DECKS = {
    "kick": f"""start kick
title "a kick"
echo
memory 400 mb
charge 0
geometry "m" units angstroms nocenter noautosym noautoz print xyz
  H 0.0 0.0 0.0
  H 0.0 0.0 0.74 charge 1.0
end
set geometry "m"
basis "ao basis" cartesian
  * library STO-3G
end
dft
  xc hfexch
  mult 1
  direct
  noio
  sym off
  adapt off
  tolerances tol_rho 1d-11 acccoul 11
  {_TIGHT}
  iterations 60
  vectors input atomic output kick.movecs
  noprint "mulliken ao"
end
task dft energy
rt_tddft
  tmax 1.3
  dt 0.2
  tag "kick_z"
  load vectors kick.movecs
  nchecks 2
  nprints *
  nrestarts 0
  checklvl 1
  tolerances zero 1d-9 series 1d-11 interpol 1d-8
  propagator magnus
  exp pseries
  field "k"
    type delta
    polarization z
    max 0.002
    center 0.0
  end
  excite "m" with "k"
  print dipole field energy quadrupole charge convergence
end
task dft rt_tddft
""",
    "pulse": f"""start pulse
geometry "whole" units au nocenter noautosym
  symmetry c1
  Li 0.0 0.0 0.1
  H 0.2 0.0 3.0
end
set geometry "whole"
basis spherical
  Li S
    16.119575 0.15432897
    2.9362007 0.53532814
    0.7946505 0.44463454
  Li SP
    0.6362897 -0.09996723 0.15591627
    0.1478601 0.39951283 0.60768372
    0.0480887 0.70011547 0.39195739
  H library H STO-3G
  H P
    0.9 1.0
end
dft
  xc HFexch 1.0
  {_TIGHT} diis 8
end
task dft
rt_tddft
  tmax 1d0
  dt 1.25d-1
  nchecks 0
  field pulse
    type gaussian
    polarization angle 30.0 45.0
    max 0.02
    frequency 0.3
    phase 0.5
    center 0.5
    width 0.3
  end
  field other
    type cw
    polarization x
    max -0.01
    frequency 0.2
  end
  excite whole with pulse
  excite whole with other
  print dipole energy field
end
task dft rt_tddft
""",
    "open": f"""start open
charge 1
geometry nocenter noautosym
  zmatrix
    O
    H 1 r
    H 1 r 2 a
    variables
    r 0.98
    constants
    a 105.0
  end
end
set geometry geometry
basis
  O library STO-3G
  H library STO-3G
end
scf
  doublet
  uhf
  thresh 1e-6
end
dft
  odft
  mult 2
  xc hfexch
  {_TIGHT}
  maxiter 80
end
task dft energy
unset rt_tddft:*
rt_tddft
  tmax 0.8
  dt 0.1
  nprints 4
  nchecks *
  field "up"
    type hann
    polarization y
    spin alpha
    max 0.03
    frequency 0.4
    center 0.4
    width 0.6
  end
  excite "geometry" with "up"
  print dipole s2 charge energy
end
task dft rt_tddft
""",
    "fragment": f"""start fragment
geometry "left" units bohr nocenter noautosym
  He 0 0 0
end
geometry "both" units bohr nocenter noautosym
  He 0 0 0
  H 0 0 3.2
  H 0 0 4.6
end
set geometry "both"
basis
  * library 3-21G except H
  H library STO-3G
end
dft
  xc hfexch
  {_TIGHT}
  semidirect memsize 1000000 filesize 0
end
task dft energy
rt_tddft
  tmax 0.9
  dt 0.15
  nchecks 3
  propagator rk4
  field "k"
    type sin2ramp
    polarization z
    max 0.01
    frequency 0.25
    width 0.5
    start 0.1
  end
  excite "left" with "k"
  print dipole charge field
end
task dft rt_tddft
""",
    "functional": """start functional
geometry "m" nocenter noautosym
  H 0 0 0
  F 0 0 0.92
end
set geometry "m"
basis
  * library STO-3G
end
dft
  xc pbe0
  grid fine
  convergence energy 1d-9 density 1d-7
end
task dft energy
rt_tddft
  tmax 0.8
  dt 0.2
  field "k"
    type delta
    polarization z
    max 0.01
  end
  excite "m" with "k"
  static
  print dipole energy
end
task dft rt_tddft
""",
}
#: Words that stand in no deck above.
_WORDS = (
    *(
        "end",
        "task",
        "foo",
        "*",
        "-1",
        "0",
        "1",
        "1d-3",
        "0.5",
        "3",
        "100",
        "x",
        "y",
        "bohr",
        "nm",
        "on",
        "off",
    ),
    *(
        "pm",
        "magnus",
        "euler",
        "total",
        "beta",
        "b3lyp",
        "slater",
        "becke88",
        "lyp",
        "0.2",
        "coarse",
        "6-31G",
    ),
    *(
        "He",
        "Be",
        "noprop",
        "prof",
        "static",
        "noscf",
        "incore",
        "damp",
        "nodiis",
        "rhf",
        "triplet",
        "dipole",
    ),
)
_PROPAGATION = re.compile(r"^[ \t]*task[ \t]+dft[ \t]+rt_tddft", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
#: Properties of more and larger molecules take NWChem longer.
_MOST_POINTS, _MOST_FUNCTIONS = 60, 16
#: NWChem's SCF, or that of an atom for its guess, did not converge.
_NOT_CONVERGED = ("dft energy failed", "atomscf:")
_SECONDS, _READ_SECONDS = 120, 10
#: Of a dipole, au: what two codes' constants and thresholds leave; and of what a field induces, relative.
_ABSOLUTE, _INDUCED, _FUNCTIONAL = 5e-6, 2e-3, 2e-4


def mutant(number: int) -> tuple[str, str]:
    """Name of the deck, and its text with one to three changes; the same ones for a number."""
    rng = random.Random(number)
    name = rng.choice(list(DECKS))
    text = DECKS[name]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        text = rng.choice((_number, _number, _number, _word, _word, _line, _line, _character))(rng, text)
    return name, text


def _number(rng: random.Random, text: str) -> str:
    """Another number, or the same in another form."""
    places = [m for m in re.finditer(r"(?<=\s)\S+(?=\s)", text) if _NUMBER.fullmatch(m[0])]
    place = rng.choice(places)
    value = float(re.sub("[dD]", "e", place[0]))
    new = rng.choice(
        (
            *(f"{value * rng.choice((0.5, 2.0, 1.1, 0.9, -1.0)):.6g}", f"{value:.4e}".replace("e", "d")),
            *(f"+{abs(value):g}", f"{value + rng.choice((1, -1, 0.1)):.6g}", f'"{value:g}"', f"{value:.3f}"),
        )
    )
    return text[: place.start()] + new + text[place.end() :]


def _word(rng: random.Random, text: str) -> str:
    """A word is left out, said twice, exchanged, or another one."""
    lines = text.splitlines()
    k = rng.randrange(len(lines))
    words = lines[k].split()
    i = rng.randrange(len(words)) if words else 0
    kind = rng.choice(("out", "twice", "swap", "other", "other", "add", "case"))
    if kind == "out":
        del words[i : i + 1]
    elif kind == "twice":
        words[i:i] = words[i : i + 1]
    elif kind == "swap" and len(words) > 1:
        j = rng.randrange(len(words))
        words[i], words[j] = words[j], words[i]
    elif kind == "case":
        words[i : i + 1] = [word.upper() for word in words[i : i + 1]]
    else:
        other = rng.choice(rng.choice((_WORDS, rng.choice(list(DECKS.values())).split())))
        words[i : i + (kind == "other")] = [other]
    lines[k] = " ".join(words)
    return "\n".join(lines) + "\n"


def _line(rng: random.Random, text: str) -> str:
    """A line is left out, said twice, moved, joined to the next, made a comment, or one of another deck."""
    lines = text.splitlines()
    k = rng.randrange(len(lines))
    kind = rng.choice(("out", "twice", "move", "near", "join", "split", "comment", "foreign"))
    if kind == "out":
        del lines[k]
    elif kind == "twice":
        lines.insert(k, lines[k])
    elif kind in ("move", "near"):
        line = lines.pop(k)
        lines.insert(rng.randrange(len(lines) + 1) if kind == "move" else min(k + 1, len(lines)), line)
    elif kind == "join":
        lines[k : k + 2] = [rng.choice(("; ", " ", " \\\n", ";;")).join(lines[k : k + 2])]
    elif kind == "split":
        words = lines[k].split(" ")
        lines[k] = rng.choice((" \\\n", "\n", ";")).join((" ".join(words[:-1]), words[-1]))
    elif kind == "comment":
        lines[k] = rng.choice(("# " + lines[k], lines[k] + " # more", lines[k] + "#", "# a \\\n" + lines[k]))
    else:
        lines.insert(k, rng.choice(rng.choice(list(DECKS.values())).splitlines()))
    return "\n".join(lines) + "\n"


def _character(rng: random.Random, text: str) -> str:
    k = rng.randrange(len(text))
    new = rng.choice("0123456789.+-eEdD \t\n\"';#\\*abcxyzABC_:/()[]=,\r\x00\u00e9\u212a\u2028")
    return text[:k] + rng.choice((new, "", new + text[k])) + text[k + 1 :]


def meaning(value: object) -> object:
    """A deck's tasks as plain values, without where they stand."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value) if field.name != "place")
        return type(value).__name__, {name: meaning(getattr(value, name)) for name in names}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): meaning(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [meaning(item) for item in value]
    return sorted(map(str, value)) if isinstance(value, frozenset) else value


def small(deck: Deck) -> bool:
    """Whether NWChem runs it in seconds, and prints what can be compared."""
    for task in deck.tasks:
        if task.system.n_basis > _MOST_FUNCTIONS:
            return False
        if isinstance(task, PropagationTask):
            run = task.real_time
            if run.n_points > _MOST_POINTS or run.exponential == "diag" or run.load.kind == "restart":
                return False
            if run.quantities & {"moocc", "dipcontribs"}:
                # Not in Debian's build (PEIGS).
                return False
    return True


def compare(number: int, name: str, text: str, deck: Deck) -> dict[str, object]:
    """Both runs of one mutant."""
    with tempfile.TemporaryDirectory() as folder:
        theirs, why = _by_nwchem(Path(folder, "nwchem"), text)
        ours, because = _by_us(Path(folder, "ours"), text)
        apart = _differences(Path(folder), deck) if theirs and ours else []
    verdict = "same" if theirs == ours and not apart else "numbers" if theirs == ours else "acceptance"
    if because.startswith("traceback"):
        verdict = "acceptance"
    elif not theirs and not ours:
        verdict = "neither"
    elif ours and why.startswith(_NOT_CONVERGED):
        verdict = "SCF"
    return {
        "number": number,
        "deck": name,
        "text": text,
        "verdict": verdict,
        "nwchem": why,
        "ours": because,
        "apart": apart,
    }


def _by_nwchem(folder: Path, text: str) -> tuple[bool, str]:
    folder.mkdir()
    # A block without `print` stops NWChem 7.0; this is what its developers say to add.
    text = _PROPAGATION.sub("set rt_tddft:print_dipcontribs .false.\n\\g<0>", text)
    (folder / "deck.nw").write_text(text, encoding="utf-8")
    with (folder / "log").open("w") as log:
        try:
            done = subprocess.run(
                ["nwchem", "deck.nw"],
                cwd=folder,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, "too long"
    found = re.search(r"ARMCI Error: \d+:(.*?):?$", done.stderr, re.MULTILINE)
    return done.returncode == 0, found[1].strip() if found else f"exit code {done.returncode}"


def _by_us(folder: Path, text: str) -> tuple[bool, str]:
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("deck.nw").write_text(text, encoding="utf-8")
        hp.propagate_all("deck.nw", log="log", surrogate="none")
    except hp.HybridPropagateError as error:
        return False, str(error)
    except Exception as error:
        return False, f"traceback: {error!r}"
    finally:
        os.chdir(before)
    return True, ""


def _differences(folder: Path, deck: Deck) -> list[str]:
    """What the two logs do not have alike."""
    logs = []
    for name in ("nwchem", "ours"):
        try:
            logs.append(read_log(folder / name / "log"))
        except LogError:
            # A time step beyond the end leaves nothing to print.
            logs.append([])
    theirs, ours = logs
    if [run.tag for run in theirs] != [run.tag for run in ours]:
        return ["tags differ"]
    grounds = [task for task in deck.tasks if isinstance(task, GroundStateTask)]
    exact = all(task.system.functional.pyscf == "HF" for task in deck.tasks)
    noise = _ABSOLUTE if exact else _FUNCTIONAL
    noise += max((10.0 * ground.density_tolerance for ground in grounds), default=0.0)
    # Of rk4 and euler NWChem prints fields and energies of the step before (docs/limits.md).
    late = any(isinstance(t, PropagationTask) and t.real_time.propagator != "magnus" for t in deck.tasks)
    found = []
    for their, our in zip(theirs, ours, strict=True):
        for key in their.series:
            if key not in our.series:
                found.append(f"{key.name} is missing")
                continue
            if key.name == "CPU time" or (late and key.name[0] in "AE"):
                continue
            a, b = their.series[key], our.series[key]
            if a.time.shape != b.time.shape or not np.allclose(a.time, b.time, rtol=0, atol=1e-5):
                found.append(f"{key.name}: {len(a.time)} points, here {len(b.time)}")
                continue
            change = np.abs(a.values - a.values[:1]).max()
            largest = np.abs(a.values - b.values).max()
            induced = np.abs((a.values - a.values[:1]) - (b.values - b.values[:1])).max()
            allowed = 1e-9 if key.name == "Applied E-field" else noise * max(1.0, np.abs(a.values).max())
            if not (largest <= allowed and induced <= _INDUCED * change + 0.1 * noise):
                found.append(f"{key.name}: {largest:.1e} apart, of the change {change:.1e}: {induced:.1e}")
    return found


def accepted_mutants(start: int) -> Iterator[tuple[int, str, str, Deck]]:
    """Mutants that are read and change something, from a number on."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = Path("deck.nw")
        originals = {}
        for name, text in DECKS.items():
            path.write_text(text)
            originals[name] = meaning(read_deck(path).tasks)
        number = start
        while True:
            number += 1
            name, text = mutant(number)
            path.write_text(text, encoding="utf-8", newline="")
            try:
                deck = read_deck(path)
            except DeckError:
                continue
            if small(deck) and meaning(deck.tasks) != originals[name]:
                yield number, name, text, deck


def run_comparison(path: Path, wanted: int) -> None:
    """Go on where the file ends, and say what is in it."""
    path = path.absolute()
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    start = max((entry["number"] for entry in done), default=0)
    for number, name, text, deck in accepted_mutants(start):
        if sum(entry["verdict"] not in ("neither", "SCF") for entry in done) >= wanted:
            break
        done.append(compare(number, name, text, deck))
        with path.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(f"{number} {name} {done[-1]['verdict']} {done[-1]['nwchem']} {done[-1]['ours']}", flush=True)
    for entry in done:
        if entry["verdict"] in ("numbers", "acceptance"):
            print(f"\n{entry['number']} ({entry['deck']}): {entry['verdict']}")
            print(f"  NWChem: {entry['nwchem']}\n  here: {entry['ours']}\n  {entry['apart']}")
            changes = set(entry["text"].splitlines()) ^ set(DECKS[entry["deck"]].splitlines())
            print("\n".join(f"  {line}" for line in sorted(changes)))
    print(f"\n{dict(Counter(entry['verdict'] for entry in done))}, of mutants up to {done[-1]['number']}")


def run_reading(wanted: int) -> None:
    """Read mutants and count how it ends."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    counts: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = Path("deck.nw")
        for number in range(1, wanted + 1):
            path.write_text(mutant(number)[1], encoding="utf-8", newline="")
            began = time.perf_counter()
            signal.alarm(_READ_SECONDS)
            try:
                read_deck(path)
                outcome = "read"
            except DeckError as error:
                one_line = re.fullmatch(r"deck\.nw:\d+: [^\n]+", str(error))
                outcome = "refused" if one_line else "fault"
            except Exception as error:
                outcome = "hang" if isinstance(error, TimeoutError) else "traceback"
                print(f"{number}: {error!r}")
            signal.alarm(0)
            slowest = max(slowest, time.perf_counter() - began)
            counts[outcome] += 1
    print(f"{dict(counts)}; the slowest took {slowest:.2f} s")


def main() -> None:
    """Compare, or read."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="?", type=Path, help="JSON lines, gone on with")
    parser.add_argument("--compare", type=int, metavar="N", default=300)
    parser.add_argument("--read", type=int, metavar="N", default=0)
    options = parser.parse_args()
    if options.read:
        run_reading(options.read)
    elif options.results is None:
        parser.error("name a file for the results")
    else:
        run_comparison(options.results, options.compare)


if __name__ == "__main__":
    main()
