"""The `dft` and `scf` blocks: settings that stay in force until a later block changes them."""

import math
from dataclasses import dataclass, replace

from ..free_format.errors import Place
from ..free_format.lines import Line, LineReader, suggestion
from ..free_format.nwchem_only import NWCHEM_ONLY, convergence_words, nwchem_only_line, pass_over
from ..system import Functional
from .deck import Vectors
from .filling import PartlyFilled, read_fon, read_smear
from .xc import Attenuation, FunctionalError, functional

GRIDS = ("xcoarse", "coarse", "medium", "fine", "xfine", "huge")

#: Directives that steer printing, memory, parallel work or the path of the SCF, none of its result.
_DFT_WITHOUT_EFFECT = ("print", "noprint", "mulliken", "molden", "ecp")
_DFT_REFUSED = (
    *(
        "decomp",
        "sic",
        "lb94",
        "cs00",
        "ncapdd",
        "cdft",
        "dftmp2",
        "efield",
    ),
    *(
        "frozemb",
        "frozemb_xc",
        "frozemb_ts",
        "ri-scf",
        "rodft",
        "fukui",
        "xps",
    ),
    *("densmat", "adft", "freecdfit"),
)
_BY_NWCHEM = ": converge it in NWChem with `vectors output x.movecs`, and start here with "
_BY_NWCHEM += "`vectors input x.movecs` and noscf; NWChem's propagation, too, has no {}"
#: What to do instead, in the `dft` block and outside.
INSTEAD = {"cdft": _BY_NWCHEM.format("constraint"), "cosmo": _BY_NWCHEM.format("solvent")}
#: NWChem 7.0.2 propagates alike with and without, by measurement.
_DFT_OF_OTHER_TASKS = {
    **dict.fromkeys(("disp", "xdm"), "dispersion acts on no orbital and is in no energy of a propagation"),
    **dict.fromkeys(("steric", "vspec", "swapab", "lock"), "it changes nothing in a propagation"),
}
_DFT_CARRIED_OUT = (
    *(
        "xc",
        "cam",
        "mult",
        "odft",
        "grid",
        "vectors",
        "iterations",
        "maxiter",
        "convergence",
        "noscf",
        "max_ovl",
        "smear",
        "fon",
    ),
)
#: Weights and radial quadratures that NWChem 7.0.2 carries out.
_QUADRATURES = ("ssf", "becke", "erf1", "erf2", "treutler", "rm", "euler")
#: Points of NWChem's Lebedev sets, in its numbering, and points an atom of its levels (second-row atoms).
_LEBEDEV = (
    *(38, 50, 74, 86, 110, 146, 170, 194, 230, 266, 302, 350, 434, 590, 770, 974, 1202, 1454, 1730, 2030),
    *(2354, 2702, 3074, 3470, 3890, 4334, 4802, 5294, 5810),
)
_POINTS = {
    "xcoarse": 21 * 194,
    "coarse": 35 * 302,
    "medium": 49 * 434,
    "fine": 70 * 590,
    "xfine": 100 * 1202,
    "huge": 300 * 1454,
}
_GRID_WITHOUT_EFFECT = ("nodisk", "store_wght", "symm", "nosymm", "new")
_SCF_WITHOUT_EFFECT = (
    *(
        "direct",
        "semidirect",
        "print",
        "noprint",
        "sym",
        "adapt",
        "tol2e",
        "diis",
        "nr",
        "level",
        "profile",
    ),
)
_GUESSES = ("atomic", "hcore", "fragment")
_VECTORS_WORDS = (
    *("input", "output", "swap", "reorder", "project", "rotate", "lock", "molden"),
    *_GUESSES,
)
#: NWChem makes its grid for `convergence energy`, and stops at one of 0.1 (`silly accgauss`).
_MOST_THRESHOLD = 0.05
#: NWChem's most fragments of one guess.
_MOST_FRAGMENTS = 100
_MOST_OMEGA, _MOST_WEIGHT, _MOST_ITERATIONS = 1e3, 10.0, 10**6
_MULTIPLICITIES = ("singlet", "doublet", "triplet", "quartet", "quintet", "sextet", "septet", "octet")


_DEFAULT = functional(("slater", "vwn_5"))
#: Of `convergence energy` and `convergence density` without a number.
_DEFAULT_THRESHOLDS = {"energy": 1e-6, "density": 1e-5}


@dataclass(frozen=True)
class DftSettings:
    """What `dft` blocks have set so far; the defaults are NWChem's. nwchem_only_lines: what only it needs.

    fon: of a closed shell or alpha, and of beta.
    skip: `noscf`. carried_out: a task has run with the settings; the next block takes `noscf` back.
    """

    functional: Functional = _DEFAULT
    xc: tuple[str, ...] = ("slater", "vwn_5")
    cam: Attenuation | None = None
    multiplicity: int = 1
    open_shell: bool = False
    grid: str = "medium"
    energy_tolerance: float = 1e-6
    density_tolerance: float = 1e-5
    max_iterations: int = 50
    vectors: Vectors | None = None
    output: str | None = None
    skip: bool = False
    carried_out: bool = False
    nwchem_only_lines: tuple[str, ...] = ()
    lock: bool = False
    smear: float = 0.0
    fon: tuple[PartlyFilled | None, PartlyFilled | None] = (None, None)


@dataclass(frozen=True)
class ScfSettings:
    """What `scf` blocks have set so far."""

    multiplicity: int = 1
    kind: str = ""
    threshold: float = 1e-4
    max_iterations: int = 50
    vectors: Vectors | None = None
    output: str | None = None
    place: Place | None = None


def read_dft(line: Line, reader: LineReader, before: DftSettings) -> DftSettings:
    """Settings after the `dft` block that `line` opens."""
    line.finish()
    settings = replace(before, skip=before.skip and not before.carried_out, carried_out=False)
    cam_line: Line | None = None
    xc_line: Line | None = None
    for row in reader.block(line):
        with reader.noting(row):
            key = row.keyword
            if key in NWCHEM_ONLY:
                settings = replace(
                    settings, nwchem_only_lines=(*settings.nwchem_only_lines, nwchem_only_line(row))
                )
            elif key == "xc":
                if cam_line is not None:
                    cam_line.fail("cam must come behind xc, which resets it in NWChem 7.2 and not in 7.0")
                xc_line = row
                settings = replace(settings, xc=_xc_words(row), cam=None)
            elif key == "cam":
                cam_line = row
                settings = replace(settings, cam=_attenuation(row))
            elif key in _DFT_CARRIED_OUT:
                settings = _dft_directive(row, reader, settings)
            elif key in _DFT_REFUSED:
                row.fail(f"dft directive {row.words[0]!r} is not carried out{INSTEAD.get(key, '')}")
            elif key in _DFT_OF_OTHER_TASKS:
                row.rest()
                reader.notice(row, f"dft {row.words[0]}: {_DFT_OF_OTHER_TASKS[key]}: passed over")
            elif key in _DFT_WITHOUT_EFFECT:
                pass_over(row)
            else:
                known = (*_DFT_CARRIED_OUT, *_DFT_WITHOUT_EFFECT, *NWCHEM_ONLY)
                row.fail(f"unknown dft directive {row.words[0]!r}{suggestion(key, (*known, *_DFT_REFUSED))}")
    if xc_line is None and cam_line is None:
        return settings
    if before.cam is not None and cam_line is None and xc_line is not None:
        xc_line.fail("NWChem 7.0 keeps the earlier cam, 7.2 drops it here: repeat cam, or unset dft:* first")
    if xc_line is not None and "srhfexch" in map(str.lower, before.xc) and settings.xc != before.xc:
        xc_line.fail("NWChem keeps the operator of srhfexch for the next functional: unset dft:* first")
    try:
        return replace(settings, functional=functional(settings.xc, settings.cam, with_nwchem=True))
    except FunctionalError as error:
        (xc_line or cam_line or line).fail(str(error))


def _xc_words(row: Line) -> tuple[str, ...]:
    if row.peek() is None:
        row.fail("xc names no functional")
    words = row.rest()
    if words[0].lower() == "new":
        row.fail("xc new is not carried out")
    return words[1:] if words[0].lower() == "old" and len(words) > 1 else words


def _dft_directive(row: Line, reader: LineReader, settings: DftSettings) -> DftSettings:
    key = row.keyword
    if key == "grid":
        return _grid(row, reader, settings)
    if key == "convergence":
        return _convergence(row, settings)
    if key == "vectors":
        vectors, output = read_vectors(row, settings.vectors, settings.output)
        return replace(settings, vectors=vectors, output=output)
    if key == "mult":
        multiplicity = row.take_integer("multiplicity")
        if multiplicity == 0 or abs(multiplicity) > 99:
            row.fail(f"multiplicity must be a positive integer, not {multiplicity}")
        if multiplicity < 0:
            row.fail("a negative multiplicity (more beta than alpha electrons) is not carried out")
        settings = replace(
            settings, multiplicity=multiplicity, open_shell=settings.open_shell or multiplicity > 1
        )
    elif key == "odft":
        settings = replace(settings, open_shell=True)
    elif key == "max_ovl":
        lines = (*settings.nwchem_only_lines, "max_ovl")
        settings = replace(settings, lock=True, nwchem_only_lines=lines)
    elif key == "smear":
        settings = replace(settings, smear=read_smear(row, reader))
        lines = (*settings.nwchem_only_lines, f"smear {settings.smear!r}")
        settings = replace(settings, nwchem_only_lines=lines)
    elif key == "fon":
        spin, partly, line = read_fon(row, reader)
        fon = (partly, settings.fon[1]) if spin == 0 else (settings.fon[0], partly)
        settings = replace(settings, fon=fon, nwchem_only_lines=(*settings.nwchem_only_lines, line))
    elif key == "noscf":
        settings = replace(settings, skip=True)
    else:
        count = row.take_integer("number of iterations")
        if not 1 <= count <= _MOST_ITERATIONS:
            row.fail(f"{row.words[0]} must lie between 1 and {_MOST_ITERATIONS}")
        settings = replace(settings, max_iterations=count)
    return settings


def _attenuation(row: Line) -> Attenuation:
    """NWChem takes the two words in this order only, and passes over them in any other."""
    omega = row.maybe_real()
    if omega is not None and not 0.0 < omega <= _MOST_OMEGA:
        row.fail(f"cam: omega must lie between 0 and {_MOST_OMEGA:g}")
    values: list[float] = []
    for expected in ("cam_alpha", "cam_beta"):
        word = row.take(expected)
        if word.lower() != expected:
            row.fail(f"cam: unexpected {word!r}; accepted: cam <omega> cam_alpha <a> cam_beta <b>")
        values.append(row.take_within(expected, -_MOST_WEIGHT, _MOST_WEIGHT))
    return Attenuation(0.5 if omega is None else omega, *values)


def _grid(row: Line, reader: LineReader, settings: DftSettings) -> DftSettings:
    """The level; of another quadrature the nearest one, and the line itself for NWChem."""
    grid, other, written = settings.grid, False, ["grid"]
    while (word := row.next()) is not None:
        key = word.lower()
        if key in GRIDS:
            grid = key
            written.append(key)
        elif key == "lebedev":
            radial, angular = (row.take_integer(f"lebedev: {what} points") for what in ("radial", "angular"))
            if not (1 <= radial <= 1000 and 1 <= angular <= len(_LEBEDEV)):
                row.fail(f"grid lebedev: 1 to 1000 shells, of a set from 1 to {len(_LEBEDEV)}")
            grid, other = _nearest_grid(radial * _LEBEDEV[angular - 1]), True
            written.append(f"lebedev {radial} {angular}")
        elif key in _QUADRATURES:
            other = True
            written.append(key)
        elif key == "nquad_task":
            row.take_integer(key)
        elif key not in _GRID_WITHOUT_EFFECT:
            accepted = " ".join((*GRIDS, "lebedev", *_QUADRATURES))
            row.fail(f"grid {word} is not carried out; accepted: {accepted}")
    if not other:
        return replace(settings, grid=grid)
    reader.notice(row, f"grid: PySCF has its own quadrature, here of level {grid}; NWChem gets the line")
    lines = (*settings.nwchem_only_lines, " ".join(written))
    return replace(settings, grid=grid, nwchem_only_lines=lines)


def _nearest_grid(points: int) -> str:
    return min(_POINTS, key=lambda name: abs(math.log(points / _POINTS[name])))


def _convergence(row: Line, settings: DftSettings) -> DftSettings:
    """Thresholds, here and in NWChem; the path to them is NWChem's alone."""
    words = convergence_words(row)
    thresholds = {"energy": settings.energy_tolerance, "density": settings.density_tolerance}
    for word in words:
        if word.name in thresholds:
            value = float(_DEFAULT_THRESHOLDS[word.name] if word.value is None else word.value)
            if not 0.0 < value <= _MOST_THRESHOLD:
                row.fail(f"convergence {word.name} must be positive, and at most {_MOST_THRESHOLD}")
            thresholds[word.name] = value
    return replace(
        settings,
        energy_tolerance=thresholds["energy"],
        density_tolerance=thresholds["density"],
        nwchem_only_lines=(*settings.nwchem_only_lines, f"convergence {' '.join(map(str, words))}"),
    )


def read_vectors(row: Line, vectors: Vectors | None, output: str | None) -> tuple[Vectors | None, str | None]:
    """A `vectors` line: the starting guess and the output file in force behind it."""
    guess: Vectors | None = None
    written: str | None = None
    while (word := row.next()) is not None:
        key = word.lower()
        if key == "input":
            continue  # NWChem passes over it
        if key == "output":
            if written is not None:
                row.fail("vectors: a second output")
            written = row.take_output("file name of vectors output")
            continue
        if key == "swap":
            if guess is None or guess.kind != "file" or guess.swapped:
                row.fail("vectors: swap stands once, behind the file of orbitals")
            guess = _swapped(row, guess)
            continue
        if key in _VECTORS_WORDS and key not in _GUESSES:
            row.fail(f"vectors {word} is not carried out; accepted: atomic hcore fragment <file> output swap")
        if guess is not None:
            row.fail(f"vectors: unexpected {word!r} behind the guess; accepted: output <file>")
        if key == "fragment":
            guess = Vectors("fragment", _fragment_files(row))
        elif key == "atomic":
            guess = Vectors("atomic")
        elif key == "hcore":
            guess = Vectors("hcore")
        else:
            guess = Vectors("file", (word,))
    if guess is None and written is None:
        row.fail("vectors names neither a guess nor an output file")
    return guess or vectors, written or output


def _swapped(row: Line, guess: Vectors) -> Vectors:
    """`swap [alpha|beta] i j ...`; NWChem keeps the last one of several."""
    spin = 0
    if (row.peek() or "").lower() in ("alpha", "beta"):
        spin = ("alpha", "beta").index(row.take("spin").lower())
    numbers: list[int] = []
    while (number := row.maybe_integer()) is not None:
        numbers.append(number - 1)
    if not numbers or len(numbers) % 2 or min(numbers) < 0:
        row.fail("vectors swap takes pairs of orbitals, counted from 1")
    return replace(guess, swapped=tuple(zip(numbers[::2], numbers[1::2], strict=True)), swapped_spin=spin)


def _fragment_files(row: Line) -> tuple[str, ...]:
    files: list[str] = []
    while (word := row.peek()) is not None and word.lower() not in _VECTORS_WORDS:
        files.append(word)
        row.next()
    if not 1 <= len(files) <= _MOST_FRAGMENTS:
        row.fail(f"vectors input fragment must name 1 to {_MOST_FRAGMENTS} files, not {len(files)}")
    return tuple(files)


def read_scf(line: Line, reader: LineReader, before: ScfSettings) -> ScfSettings:
    """Settings after the `scf` block that `line` opens."""
    line.finish()
    settings = replace(before, place=line.place)
    for row in reader.block(line):
        with reader.noting(row):
            key = row.keyword
            if key in _MULTIPLICITIES:
                settings = replace(settings, multiplicity=_MULTIPLICITIES.index(key) + 1)
            elif key == "nopen":
                count = row.take_integer("number of open shells")
                if not 0 <= count < 99:
                    row.fail("nopen must not be negative")
                settings = replace(settings, multiplicity=count + 1)
            elif key in ("rhf", "rohf", "uhf"):
                settings = replace(settings, kind=key)
            elif key == "thresh":
                value = row.take_within("thresh", 1e-30, 1.0)
                settings = replace(settings, threshold=value)
            elif key == "maxiter":
                count = row.take_integer("maxiter")
                if not 1 <= count <= _MOST_ITERATIONS:
                    row.fail(f"maxiter must lie between 1 and {_MOST_ITERATIONS}")
                settings = replace(settings, max_iterations=count)
            elif key == "vectors":
                vectors, output = read_vectors(row, settings.vectors, settings.output)
                settings = replace(settings, vectors=vectors, output=output)
            elif key in _SCF_WITHOUT_EFFECT:
                pass_over(row)
            else:
                accepted = (
                    *_MULTIPLICITIES,
                    "nopen",
                    "rhf",
                    "uhf",
                    "thresh",
                    "maxiter",
                    "vectors",
                    *_SCF_WITHOUT_EFFECT,
                )
                row.fail(f"scf directive {row.words[0]!r} is not carried out{suggestion(key, accepted)}")
    return settings
