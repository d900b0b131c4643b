"""One deck by plain NWChem and by `--surrogate none`: whether each carries it out, and where they differ."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import hybrid_propagate as hp
import numpy as np
from hybrid_propagate.adapters.deck import Deck, GroundStateTask, PropagationTask
from hybrid_propagate.adapters.log.reader import LogError, read_log

_PROPAGATION = re.compile(r"^[ \t]*task[ \t]+dft[ \t]+rt_tddft", re.MULTILINE | re.IGNORECASE)
#: NWChem's SCF, or that of an atom for its guess, did not converge.
_NOT_CONVERGED = ("dft energy failed", "atomscf:")
_SECONDS = 120
#: Of a dipole, au: what two codes' constants and thresholds leave; and of what a field induces, relative.
_ABSOLUTE, _INDUCED, _FUNCTIONAL = 5e-6, 2e-3, 2e-4


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
