"""The `dft`, `scf` and `tddft` blocks: settings that stay in force until a later block changes them."""

from dataclasses import dataclass, replace

from ..system import Functional
from .deck import Vectors
from .errors import Place
from .lines import Line, LineReader, suggestion
from .nwchem_only import NWCHEM_ONLY, convergence_words, nwchem_only_line
from .xc import Attenuation, FunctionalError, functional

GRIDS = ("xcoarse", "coarse", "medium", "fine", "xfine", "huge")

#: Directives that steer printing, memory, parallel work or the path of the SCF, none of its result.
_DFT_WITHOUT_EFFECT = ("print", "noprint", "mulliken", "molden", "ecp")
_DFT_REFUSED = (
    *(
        "decomp",
        "max_ovl",
        "sic",
        "smear",
        "fon",
        "lb94",
        "cs00",
        "ncapdd",
        "cdft",
        "dftmp2",
        "steric",
        "efield",
    ),
    *(
        "swapab",
        "frozemb",
        "frozemb_xc",
        "frozemb_ts",
        "ri-scf",
        "lock",
        "rodft",
        "fukui",
        "vspec",
        "xps",
        "xdm",
    ),
    *("densmat", "adft", "freecdfit"),
)
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
        "disp",
    ),
)
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
        "nodiis",
        "nr",
        "level",
        "profile",
    ),
)
_MULTIPLICITIES = ("singlet", "doublet", "triplet", "quartet", "quintet", "sextet", "septet", "octet")
_TDDFT_WITHOUT_EFFECT = ("maxiter", "maxvecs", "thresh", "print", "noprint", "trials", "algorithm")


_DEFAULT = functional(("slater", "vwn_5"))
#: Of `convergence energy` and `convergence density` without a number.
_DEFAULT_THRESHOLDS = {"energy": 1e-6, "density": 1e-5}


@dataclass(frozen=True)
class DftSettings:
    """What `dft` blocks have set so far; the defaults are NWChem's. nwchem_only_lines: what only it needs."""

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
    nwchem_only_lines: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class TddftSettings:
    """What `tddft` blocks have set so far."""

    n_roots: int = 1
    singlet: bool = True
    triplet: bool = True
    tamm_dancoff: bool = False


def read_dft(line: Line, reader: LineReader, before: DftSettings) -> DftSettings:
    """Settings after the `dft` block that `line` opens."""
    line.finish()
    settings = before
    cam_line: Line | None = None
    xc_line: Line | None = None
    for row in reader.block(line):
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
            settings = _dft_directive(row, settings)
        elif key in _DFT_REFUSED:
            row.fail(f"dft directive {row.words[0]!r} is not carried out")
        elif key not in _DFT_WITHOUT_EFFECT:
            known = (*_DFT_CARRIED_OUT, *_DFT_WITHOUT_EFFECT, *NWCHEM_ONLY)
            row.fail(f"unknown dft directive {row.words[0]!r}{suggestion(key, (*known, *_DFT_REFUSED))}")
    if xc_line is None and cam_line is None:
        return settings
    if before.cam is not None and cam_line is None and xc_line is not None:
        xc_line.fail("NWChem 7.0 keeps the earlier cam, 7.2 drops it here: repeat cam, or unset dft:* first")
    try:
        return replace(settings, functional=functional(settings.xc, settings.cam, with_nwchem=True))
    except FunctionalError as error:
        (xc_line or cam_line or line).fail(str(error))


def _xc_words(row: Line) -> tuple[str, ...]:
    if row.peek() is None:
        row.fail("xc names no functional")
    words = row.words[1:]
    if words[0].lower() == "new":
        row.fail("xc new is not carried out")
    return words[1:] if words[0].lower() == "old" and len(words) > 1 else words


def _dft_directive(row: Line, settings: DftSettings) -> DftSettings:
    key = row.keyword
    if key == "grid":
        return replace(settings, grid=_grid(row, settings.grid))
    if key == "convergence":
        return _convergence(row, settings)
    if key == "vectors":
        vectors, output = read_vectors(row, settings.vectors, settings.output)
        return replace(settings, vectors=vectors, output=output)
    if key == "disp":
        if (row.next() or "").lower() != "off":
            row.fail(
                "disp: dispersion corrections are not carried out (they act on no orbital); drop the line"
            )
        return settings
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
    elif key == "noscf":
        settings = replace(settings, skip=True)
    else:
        count = row.take_integer("number of iterations")
        if count < 1:
            row.fail(f"{row.words[0]} must be at least 1")
        settings = replace(settings, max_iterations=count)
    row.finish()
    return settings


def _attenuation(row: Line) -> Attenuation:
    omega = row.maybe_real()
    values = {"cam_alpha": 1.0, "cam_beta": 0.0}
    while (word := row.next()) is not None:
        if word.lower() not in values:
            row.fail(f"cam: unexpected {word!r}; accepted: cam <omega> cam_alpha <a> cam_beta <b>")
        values[word.lower()] = row.take_real(word)
    omega = 0.5 if omega is None else omega
    if omega <= 0.0:
        row.fail("cam: omega must be positive")
    return Attenuation(omega, values["cam_alpha"], values["cam_beta"])


def _grid(row: Line, grid: str) -> str:
    while (word := row.next()) is not None:
        key = word.lower()
        if key in GRIDS:
            grid = key
        elif key == "nquad_task":
            row.take_integer(key)
        elif key not in _GRID_WITHOUT_EFFECT:
            row.fail(f"grid {word} is not carried out; accepted: {' '.join(GRIDS)}")
    return grid


def _convergence(row: Line, settings: DftSettings) -> DftSettings:
    """Thresholds, here and in NWChem; the path to them is NWChem's alone."""
    words = convergence_words(row)
    thresholds = {"energy": settings.energy_tolerance, "density": settings.density_tolerance}
    for word in words:
        if word.name in thresholds:
            value = float(_DEFAULT_THRESHOLDS[word.name] if word.value is None else word.value)
            if value <= 0.0:
                row.fail(f"convergence {word.name} must be positive")
            thresholds[word.name] = value
    return replace(
        settings,
        energy_tolerance=thresholds["energy"],
        density_tolerance=thresholds["density"],
        nwchem_only_lines=(*settings.nwchem_only_lines, f"convergence {' '.join(map(str, words))}"),
    )


def read_vectors(row: Line, vectors: Vectors | None, output: str | None) -> tuple[Vectors | None, str | None]:
    """A `vectors` line: the starting guess and the output file in force behind it."""
    while (word := row.next()) is not None:
        key = word.lower()
        if key == "output":
            output = row.take("file name of vectors output")
        elif key in ("lock", "swap", "reorder", "project", "rotate"):
            row.fail(
                f"vectors {word} is not carried out; accepted: input (atomic|hcore|fragment|<file>) output"
            )
        elif key == "fragment":
            vectors = Vectors("fragment", _fragment_files(row))
        else:
            name = row.take("guess of vectors input") if key == "input" else word
            kind = name.lower()
            if kind in ("project", "rotate"):
                row.fail(f"vectors input {name} is not carried out")
            if kind == "fragment":
                vectors = Vectors("fragment", _fragment_files(row))
            elif kind == "atomic":
                vectors = Vectors("atomic")
            elif kind == "hcore":
                vectors = Vectors("hcore")
            else:
                vectors = Vectors("file", (name,))
    return vectors, output


def _fragment_files(row: Line) -> tuple[str, ...]:
    files: list[str] = []
    while (word := row.peek()) is not None and word.lower() not in ("output", "lock", "swap"):
        files.append(word)
        row.next()
    if not files:
        row.fail("vectors input fragment names no files")
    return tuple(files)


def read_scf(line: Line, reader: LineReader, before: ScfSettings) -> ScfSettings:
    """Settings after the `scf` block that `line` opens."""
    line.finish()
    settings = replace(before, place=line.place)
    for row in reader.block(line):
        key = row.keyword
        if key in _MULTIPLICITIES:
            settings = replace(settings, multiplicity=_MULTIPLICITIES.index(key) + 1)
            row.finish()
        elif key == "nopen":
            count = row.take_integer("number of open shells")
            if not 0 <= count < 99:
                row.fail("nopen must not be negative")
            settings = replace(settings, multiplicity=count + 1)
        elif key in ("rhf", "rohf", "uhf"):
            settings = replace(settings, kind=key)
        elif key == "thresh":
            value = row.take_real("thresh")
            if value <= 0.0:
                row.fail("thresh must be positive")
            settings = replace(settings, threshold=value)
        elif key == "maxiter":
            count = row.take_integer("maxiter")
            if count < 1:
                row.fail("maxiter must be at least 1")
            settings = replace(settings, max_iterations=count)
        elif key == "vectors":
            vectors, output = read_vectors(row, settings.vectors, settings.output)
            settings = replace(settings, vectors=vectors, output=output)
        elif key not in _SCF_WITHOUT_EFFECT:
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


def read_tddft(line: Line, reader: LineReader, before: TddftSettings) -> TddftSettings:
    """Settings after the `tddft` block (linear response) that `line` opens."""
    settings = before
    for row in reader.block(line):
        key = row.keyword
        if key == "nroots":
            count = row.take_integer("number of roots")
            if count < 1:
                row.fail("nroots must be at least 1")
            settings = replace(settings, n_roots=count)
        elif key in ("notriplet", "nosinglet"):
            settings = replace(settings, **{key[2:]: False})
        elif key in ("singlet", "triplet"):
            settings = replace(settings, **{key: True})
        elif key in ("cis", "tda", "rpa"):
            settings = replace(settings, tamm_dancoff=key != "rpa")
        elif key not in _TDDFT_WITHOUT_EFFECT:
            accepted = (
                "nroots",
                "notriplet",
                "nosinglet",
                "singlet",
                "triplet",
                "cis",
                "rpa",
                *_TDDFT_WITHOUT_EFFECT,
            )
            row.fail(f"tddft directive {row.words[0]!r} is not carried out{suggestion(key, accepted)}")
    return settings
