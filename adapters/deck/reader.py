"""Read an NWChem input deck: top-level directives, blocks and tasks, in order."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..free_format.blocks import OF_OTHER_TASKS
from ..free_format.errors import DeckError, Place, UnfinishedBlock, in_one
from ..free_format.lines import (
    LONGEST_NAME,
    Line,
    LineReader,
    lines_of,
    read_lines,
    real,
    suggestion,
    text_of,
)
from ..free_format.nwchem_only import pass_over
from ..rtdb.entries import RtdbError
from ..rtdb.nuclei import geometry_lines
from ..rtdb.recall import database_path, recall, record_path
from .basis import check_tags, read_basis, read_ecp
from .database import MAY_BE_ABSENT, Database, of_earlier_run
from .deck import Deck, GroundStateTask, Task
from .dft import INSTEAD, DftSettings, read_dft, read_scf
from .dplot import read_dplot
from .driver import read_driver
from .filling import read_occupations
from .geometry import read_geometry
from .rt_tddft import read_rt_tddft
from .tasks import density_plot, excited_density, ground_state, linear_response, optimization, propagation
from .tddft import read_tddft

#: Printing, memory, and where scratch files go: nothing that a result depends on.
_WITHOUT_EFFECT = ("echo", "memory", "scratch_dir", "print", "noprint", "ecce_print", "pause")
#: What may stand before the settings of an earlier run are wanted.
_PREAMBLE = ("start", "restart", "title", "permanent_dir")
_BLOCKS = ("occup", "geometry", "basis", "ecp", "dft", "scf", "tddft", "rt_tddft", "dplot", "driver")
#: Blocks that change no ground state.
_OF_NO_GROUND_STATE = ("rt_tddft", "tddft", "dplot")
_PLAIN = ("start", "restart", "title", "permanent_dir", "charge", "set", "unset", "task", "include")
#: Directives of NWChem that would change results or do other work.
_REFUSED = (
    *("bq", "continue", "cosmo", "dimqm", "fcidump", "gradients", "integral", "intgrl", "oniom"),
    *("plnwv", "python", "qmmm", "relativistic", "rism", "so", "xtb", "zora"),
)
#: `set` keys that steer memory and integral storage only.
_KEYS_WITHOUT_EFFECT = (
    "int2e:",
    "int:cando_",
    "fock:replicated",
    "quickguess",
    "tolguess",
    "dft:largenode",
    "print:",
)
#: `set` keys of other tasks and of screening: NWChem 7.0.2 propagates alike with and without, as measured.
_KEYS_OF_OTHER_TASKS = (
    *("driver:", "prop:", "tce:", "cphf:", "hess:", "nwpw:", "esp:", "mp2:", "ccsd:", "raman:", "ga:"),
    *("fock:mirrmat", "fock:density_screen", "atomscf:", "grid:eaf_size", "dft:print_mats"),
)
_RT_KEYS = (
    *("dipcontrib:pol", "dipcontrib:mo1min", "dipcontrib:mo1max", "dipcontrib:mo2min", "dipcontrib:mo2max"),
    *("magnus_skipinterpol", "print_dipcontribs"),
)
_BASIS_ROLES = ("ao basis", "cd basis", "ecp basis")
#: Says nothing of what stands there.
_INCLUDED = "this line of an included file is refused; put it into the deck itself to see why"
#: Theory and operation of the tasks that are carried out.
TASKS = (
    *(("dft", "energy"), ("scf", "energy"), ("tddft", "energy"), ("dft", "property"), ("dft", "gradient")),
    *(("dft", "optimize"), ("tddft", "gradient"), ("dplot", "energy"), ("dft", "rt_tddft")),
)
_PASSED_OVER = "this line of an included file is passed over, or taken for what is near it"
_LOGICALS = ("true", ".true.", "t", "false", ".false.", "f")
_TYPES = ("integer", "real", "double", "logical", "string")


@dataclass
class _Found:
    """What has been read so far.

    journal: everything set, as the lines of a deck, tasks included.
    recorded: how many lines the journal had behind each task.
    """

    database: Database
    deck: Deck
    tasks: list[Task] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)


def read_deck(path: Path | str, *, first_ground_state: bool = False) -> Deck:
    """Read the deck at `path` and the files that it includes or loads geometries from.

    Everything in it is carried out, that is, represented in what is returned, or refused by name. What a deck
    with `restart` does not set is what the run of that name had set, by its record or NWChem's database.
    Two things differ from NWChem on purpose. All tasks are read before the first one runs, so that a mistake
    costs no time. And `task dft energy` behind a propagation is a ground state; NWChem would propagate again.
    first_ground_state: the deck ends behind its first ground state, and blocks of other tasks are not judged.
    Raises DeckError, whose text is one line led by file:line, for anything wrong or not carried out.
    """
    path = Path(path)
    reader = read_lines(path)
    database = Database(prefix=_base_name(path))
    found = _Found(database, Deck(path, database.prefix, "", Path.cwd(), ()))
    recalled = False
    try:
        for line in reader:
            judged = len(reader.refusals)
            with reader.noting(line):
                if (
                    database.restarted is not None
                    and not recalled
                    and line.keyword not in (*_PREAMBLE, *_WITHOUT_EFFECT)
                ):
                    recalled = True
                    _recall(found, database.restarted)
                _take(line, reader, found)
            if first_ground_state and line.keyword in _OF_NO_GROUND_STATE:
                del reader.refusals[judged:]
            if first_ground_state and any(isinstance(task, GroundStateTask) for task in found.tasks):
                break
    except UnfinishedBlock as error:
        reader.refusals.append(error)
    if not reader.refusals:
        _check_whole(found, path, reader.end)
    if reader.refusals:
        raise in_one([_shown(error, path) for error in reader.refusals])
    for place, text in reader.notices:
        found.notices.append(f"{place}: {text if place.file == str(path) else _PASSED_OVER}")
    return replace(
        found.deck,
        prefix=database.prefix,
        tasks=tuple(found.tasks),
        notices=tuple(found.notices),
        journal=tuple(found.journal),
        recorded=tuple(found.recorded),
    )


def _shown(error: DeckError, path: Path) -> DeckError:
    """A deck may include what only the user can read, and messages go where others read them."""
    return error if error.place.file == str(path) else DeckError(error.place, _INCLUDED)


def _check_whole(found: _Found, path: Path, end: Place) -> None:
    """What only a whole deck shows. Raises DeckError."""
    database = found.database
    for basis in database.bases.values():
        check_tags(basis, [named.geometry for named in database.geometries.values()])
    if (reason := _no_file_name(database.prefix)) is not None:
        raise DeckError(Place(str(path), 1), f"the deck's own name, {reason}; name one with start")
    if not found.tasks:
        raise DeckError(end, "the deck has no task; accepted: task dft energy, task dft rt_tddft")


def _take(line: Line, reader: LineReader, found: _Found) -> None:
    """Take in the directive that `line` opens, and note it in the journal."""
    database, first = found.database, len(reader.taken) - 1
    if line.keyword == "task":
        tasks = _tasks(line, reader, database)
        found.tasks += tasks
        line.finish()
        found.journal.append(text_of(line))
        found.recorded += [len(found.journal)] * len(tasks)
    elif line.keyword == "geometry":
        named = read_geometry(line, reader)
        database.geometries[named.geometry.name] = named
        database.absent.pop("geometry", None)
        found.notices += named.notices
        found.journal += geometry_lines(named.geometry)
    else:
        found.deck = _directive(line, reader, database, found.deck, bool(found.tasks))
        line.finish()
        if line.keyword not in (*_PREAMBLE, *_WITHOUT_EFFECT, *OF_OTHER_TASKS):
            rows = reader.taken[first:]
            found.journal += [text_of(row) for row in rows]
            for given in (line, *rows) if line.keyword == "dft" else (line,):
                database.absent.pop(given.keyword, None)


def _recall(found: _Found, place: Place) -> None:
    """Set what the earlier run of this name had set; note in the database what cannot be known of it."""
    database, folder = found.database, found.deck.permanent_dir
    try:
        earlier = recall(database.prefix, folder)
    except RtdbError as error:
        raise DeckError(place, f"restart: {error}") from None
    if earlier is None:
        names = " nor ".join(path(database.prefix, folder).name for path in (record_path, database_path))
        database.absent.update(dict.fromkeys(MAY_BE_ABSENT, f"there is neither {names} in {folder}"))
        return
    for part in earlier.parts:
        reader = lines_of(part.lines, earlier.source)
        obstacle = part.obstacle
        try:
            for line in reader:
                _take(line, reader, found)
        except DeckError as error:
            error = (*reader.refusals, error)[0]
            if not part.sets:
                raise DeckError(place, f"restart: {error}") from None
            obstacle = str(error)
        if obstacle:
            database.absent.update(
                dict.fromkeys(part.sets, f"{earlier.source}: {obstacle} is not taken over")
            )
    # They are done; what they have left is in force.
    found.tasks.clear()
    found.notices.clear()
    found.recorded.clear()
    of_earlier_run(database)


def _base_name(path: Path) -> str:
    return path.name[:-3] if path.name.endswith(".nw") and len(path.name) > 3 else path.name


def _no_file_name(name: str) -> str | None:
    """Why the names of a run's files cannot begin with `name`; None where they can."""
    if name.strip() in ("", ".", "..") or "/" in name or not name.isprintable():
        return f"{name!r}, is no file name"
    if len(os.fsencode(name)) > LONGEST_NAME:
        return f"{name[:30]!r}..., is longer than {LONGEST_NAME} bytes: no room for the ends of file names"
    return None


def _name(line: Line, database: Database, deck: Deck, too_late: bool) -> Deck:
    if too_late:
        line.fail(f"{line.keyword} must come before the first task")
    name = line.next()
    if name is not None:
        if (reason := _no_file_name(name)) is not None:
            line.fail(f"{line.keyword}: {reason}")
        database.prefix = name
    database.restarted = line.place if line.keyword == "restart" else None
    return deck


def _directive(line: Line, reader: LineReader, database: Database, deck: Deck, too_late: bool) -> Deck:
    """The deck after a directive that is neither a task nor a geometry."""
    key = line.keyword
    if key in ("start", "restart"):
        return _name(line, database, deck, too_late)
    if key == "title":
        return replace(deck, title=line.take("title, in quotes if it has blanks"))
    if key == "permanent_dir":
        return replace(deck, permanent_dir=Path.cwd() / line.take("folder"))
    if key in _WITHOUT_EFFECT:
        pass_over(line)
    elif key in OF_OTHER_TASKS:
        line.rest()
        reader.pass_over_block(line)
        reader.notice(line, f"{line.words[0]} acts on no ground state and no propagation: passed over")
    else:
        _setting(line, reader, database)
    return deck


def _setting(line: Line, reader: LineReader, database: Database) -> None:
    """Directives that change the database only."""
    key = line.keyword
    if key == "driver":
        database.driver = read_driver(line, reader)
    elif key == "basis":
        basis = read_basis(line, reader)
        database.bases[basis.name] = basis
        if basis.name in ("xc basis", "ri basis", "riscf basis"):
            line.fail(f'basis "{basis.name}" is not carried out; accepted: ao basis, cd basis')
    elif key == "ecp":
        ecp = read_ecp(line, reader)
        database.bases[ecp.name] = ecp
    elif key == "dft":
        database.dft = read_dft(line, reader, database.dft)
    elif key == "scf":
        database.scf = read_scf(line, reader, database.scf)
    elif key == "tddft":
        database.tddft = read_tddft(line, reader, database.tddft)
    elif key == "rt_tddft":
        database.real_time = read_rt_tddft(line, reader, tuple(database.geometries))
    elif key == "dplot":
        database.plot = read_dplot(line, reader, database.plot)
    elif key == "occup":
        database.occupations = read_occupations(line, reader)
        database.absent.pop("occupations", None)
    elif key == "charge":
        charge = line.take_within("charge", -1000.0, 1000.0)
        if charge != int(charge):
            line.fail(f"charge must be a whole number, not {charge:g}")
        database.charge = int(charge)
    elif key == "set":
        _set(line, reader, database)
    elif key == "unset":
        _unset(line, reader, database)
    elif key in _REFUSED:
        line.fail(f"directive {line.words[0]!r} is not carried out{INSTEAD.get(key, '')}")
    elif key == "stop":
        line.fail("stop ends NWChem with an error; end the input with a line eof, or at its end")
    else:
        hint = suggestion(key, (*_WITHOUT_EFFECT, *_BLOCKS, *_PLAIN, *_REFUSED))
        raise UnfinishedBlock(line.place, f"unknown directive {line.words[0]!r}{hint}")


def _set(line: Line, reader: LineReader, database: Database) -> None:
    key = line.take("key")
    kind = (line.next() or "").lower() if (line.peek() or "").lower() in _TYPES else ""
    if key == "geometry":
        database.active = _set_name(line, kind, "geometry")
    elif key in _BASIS_ROLES:
        database.names[key] = _set_name(line, kind, key)
    elif key.startswith("rt_tddft:"):
        _set_real_time(line, key.removeprefix("rt_tddft:"), kind, database)
    elif key.startswith(_KEYS_WITHOUT_EFFECT):
        line.take("value")
        line.rest()
    elif key.startswith(_KEYS_OF_OTHER_TASKS) or (key == "lindep:n_dep" and line.peek() == "0"):
        line.rest()
        reader.notice(line, f"set {key} changes nothing in a propagation: passed over")
    else:
        line.fail(
            f"set {key} is not carried out; accepted: geometry, ao basis, cd basis, ecp basis, rt_tddft:..."
        )


def _set_name(line: Line, kind: str, what: str) -> str:
    """The name behind `set geometry` and the like; NWChem takes one that looks like a value for that."""
    name = line.take_name(f"name of the {what}")
    if kind not in ("", "string"):
        line.fail(f"set {what}: a name is a string, not of type {kind}")
    value = name.lower() in _LOGICALS or not name.strip("0123456789:") or real(name) is not None
    if value and not kind:
        line.fail(f'set {what}: NWChem takes {name} for a value; say set "{what}" string "{name}"')
    return name


def _set_real_time(line: Line, name: str, kind: str, database: Database) -> None:
    value = line.take(f"value of rt_tddft:{name}")
    wanted = ("", "logical") if name in ("magnus_skipinterpol", "print_dipcontribs") else ("", "integer")
    if kind not in wanted:
        line.fail(f"rt_tddft:{name} is of type {wanted[1]}, not {kind}")
    if name in ("terms_series", "terms_interpol"):
        if value != {"terms_series": "3", "terms_interpol": "1"}[name]:
            line.fail(f"rt_tddft:{name} other than NWChem's default is not carried out")
    elif name not in _RT_KEYS:
        accepted = ", ".join(_RT_KEYS)
        line.fail(
            f"set rt_tddft:{name} is not carried out{suggestion(name, _RT_KEYS) or f'; accepted: {accepted}'}"
        )
    else:
        database.keys[name] = (value, line.place)


def _unset(line: Line, reader: LineReader, database: Database) -> None:
    key = line.take("key")
    if key == "rt_tddft:*":
        database.keys.clear()
        database.persistent.clear()
        database.real_time = None
        database.absent.pop("rt_tddft", None)
    elif key.startswith("rt_tddft:"):
        name = key.removeprefix("rt_tddft:")
        database.keys.pop(name, None)
        database.persistent.pop({"restart": "restart", "init_movecs": "vectors"}.get(name, ""), None)
    elif key == "dft:*":
        database.dft = DftSettings()
        for name in ("xc", "mult", "grid", "occupations"):
            database.absent.pop(name, None)
    elif key == "geometry":
        database.active = None
    elif key in _BASIS_ROLES:
        database.names.pop(key, None)
    elif key == "dplot:*":
        database.plot = None
    elif key.startswith((*_KEYS_OF_OTHER_TASKS, "task:")):
        reader.notice(line, f"unset {key} changes nothing in a propagation: passed over")
    elif not key.startswith(_KEYS_WITHOUT_EFFECT):
        line.fail(f"unset {key} is not carried out; accepted: rt_tddft:*, dft:*, geometry")


def _tasks(line: Line, reader: LineReader, database: Database) -> list[Task]:
    """The tasks of a `task` line; linear response brings the ground state that it needs.

    None where settings are refused: what they lack would be refused once more.
    """
    theory = line.take("theory").lower()
    if theory not in ("dft", "scf", "tddft", "dplot"):
        line.fail(f"task {theory} is not carried out; accepted: dft, scf, tddft, dplot")
    operation = (line.next() or "energy").lower()
    line.finish()
    if theory == "dft" and operation in ("property", "gradient"):
        reader.notice(line, f"of task dft {operation} only the ground state is made")
        operation = "energy"
    carried_out: dict[tuple[str, str], Callable[[], list[Task]]] = {
        ("dft", "energy"): lambda: [ground_state(database, line.place, "dft")],
        ("scf", "energy"): lambda: [ground_state(database, line.place, "scf")],
        ("tddft", "energy"): lambda: _response(database, line.place, linear_response),
        ("tddft", "gradient"): lambda: _response(database, line.place, excited_density),
        ("dft", "optimize"): lambda: [optimization(database, line.place)],
        ("dplot", "energy"): lambda: [density_plot(database, line.place)],
        ("dft", "rt_tddft"): lambda: [propagation(database, line.place)],
    }
    if operation in ("saddle", "dynamics") or (operation == "optimize" and theory != "dft"):
        line.fail(f"task {theory} {operation}: nuclei do not move here; give the geometry it ends at")
    if (theory, operation) not in TASKS:
        accepted = ", ".join(f"task {a} {b}" for a, b in TASKS).replace("dplot energy", "dplot")
        line.fail(f"task {theory} {operation} is not carried out; accepted: {accepted}")
    return [] if reader.refusals else carried_out[theory, operation]()


def _response(database: Database, place: Place, task: Callable[[Database, Place], Task]) -> list[Task]:
    tasks: list[Task] = []
    if database.ready is None and database.restarted is None:
        start: GroundStateTask = ground_state(database, place, "dft")
        tasks.append(start)
    return [*tasks, task(database, place)]
