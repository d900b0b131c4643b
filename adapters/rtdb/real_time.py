"""The `rt_tddft` block out of NWChem's database, as deck text."""

from .entries import Entries
from .part import Part
from .reals import real_text

_LEAD = "rt_tddft:"
_NUMBERS = ("tmax", "dt")
_COUNTS = ("nchecks", "nprints", "nrestarts", "checklvl")
_PROPAGATORS = {1: "euler", 2: "rk4", 3: "magnus"}
_FLAGS = ("prof", "noprop", "static")
_PRINTED = {"quad": "quadrupole"}
_QUANTITIES = (
    *("dipole", "quad", "field", "moocc", "dipcontribs", "energy", "cputime", "charge", "convergence", "s2"),
)
_SPINS = {"t": "total", "a": "alpha", "b": "beta"}
#: Keys that `set` gives, and a block leaves alone.
_KEPT = (
    *("dipcontrib:pol", "dipcontrib:mo1min", "dipcontrib:mo1max", "dipcontrib:mo2min", "dipcontrib:mo2max"),
    "magnus_skipinterpol",
)
#: What NWChem writes for a number that a field was not given.
_NOT_GIVEN = -99.0


def real_time_part(entries: Entries) -> Part:
    """The whole block; none where no propagation was asked for."""
    if _LEAD + "tmax" not in entries:
        return Part(("rt_tddft",), ())
    if (reason := _obstacle(entries)) is not None:
        return Part(("rt_tddft",), (), reason)
    lines = [
        "rt_tddft",
        *(f"  {name} {real_text(entries.number(_LEAD + name))}" for name in _NUMBERS),
        f'  tag "{entries.text(_LEAD + "tag")}"',
        *(f"  {name} {int(entries.number(_LEAD + name))}" for name in _COUNTS),
        "  tolerances "
        + " ".join(
            f"{n} {real_text(entries.number(f'{_LEAD}tol_{n}'))}" for n in ("zero", "series", "interpol")
        ),
        f"  propagator {_PROPAGATORS[int(entries.number(_LEAD + 'prop_method'))]}",
        *(f"  {name}" for name in _FLAGS if entries.flag(_LEAD + name)),
        *_printed(entries),
        *(["  load restart"] if entries.flag(_LEAD + "restart") else []),
        *(
            [f'  load vectors "{entries.text(_LEAD + "init_movecs")}"']
            if _LEAD + "init_movecs" in entries
            else []
        ),
        *_fields(entries),
        *_mocap(entries),
        *_spatial_cap(entries),
        *_visualization(entries),
        "end",
        *_settings(entries),
    ]
    return Part(("rt_tddft",), tuple(lines))


def _obstacle(entries: Entries) -> str | None:
    """What of the block cannot be told here."""
    for name, what in (("use_dmat", "load density"), ("viz_dplot", "dplot")):
        if entries.flag(_LEAD + name):
            return f"an rt_tddft block with {what}"
    if (
        int(entries.number(_LEAD + "prop_method")) not in _PROPAGATORS
        or entries.number(_LEAD + "exp_method") != 1
    ):
        return "an rt_tddft block with another propagator"
    if any(entries.text(f"{lead}type") == "file" for lead in _field_leads(entries)):
        return "an rt_tddft block with a field from a file"
    return None


def _printed(entries: Entries) -> list[str]:
    words = [_PRINTED.get(n, n) for n in _QUANTITIES if entries.flag(f"{_LEAD}print_{n}")]
    return ["  print " + " ".join(words)] if words else []


def _field_leads(entries: Entries) -> list[str]:
    return [f"{_LEAD}field_{k:05d}_" for k in range(1, int(entries.number(_LEAD + "nfields")) + 1)]


def _fields(entries: Entries) -> list[str]:
    """Fields, and the rules that let them act."""
    leads = _field_leads(entries)
    names = [entries.text(lead + "name") for lead in leads]
    lines: list[str] = []
    for lead, name in zip(leads, names, strict=True):
        lines += [f'  field "{name}"', *(f"    {line}" for line in _field(entries, lead)), "  end"]
    geometries = entries.texts("geometry:names")
    for k in range(1, int(entries.number(_LEAD + "nexcites")) + 1):
        of, by = (int(entries.number(f"{_LEAD}excite_{k:05d}_{what}_indx")) for what in ("geom", "field"))
        lines.append(f'  excite "{geometries[of - 1]}" with "{names[by - 1]}"')
    return lines


def _field(entries: Entries, lead: str) -> list[str]:
    kind, along = entries.text(lead + "type"), entries.text(lead + "polarizatio")
    if along == "angle":
        along += f" {real_text(entries.number(lead + 'theta'))} {real_text(entries.number(lead + 'phi'))}"
    lines = [f"type {kind}", f"polarization {along}", f"max {real_text(entries.number(lead + 'max'))}"]
    for name in ("frequency", "phase", "center", "width", "start"):
        value = entries.number(lead + name)
        if value != _NOT_GIVEN:
            lines.append(f"{name} {real_text(value)}")
    return [*lines, f"spin {_SPINS.get(entries.text(lead + 'spin')[:1], 'total')}"]


def _mocap(entries: Entries) -> list[str]:
    if not entries.flag(_LEAD + "mocap_active"):
        return []
    numbers = ("expconst", "emin", "prefac", "maxval")
    checks, shown = entries.flag(_LEAD + "mocap_checks"), entries.flag(_LEAD + "mocap_print")
    lines = [f"{name} {real_text(entries.number(f'{_LEAD}mocap_{name}'))}" for name in numbers]
    lines += ["checks" if checks else "nochecks", "print" if shown else "noprint", "on"]
    return ["  mocap", *(f"    {line}" for line in lines), "  end"]


def _spatial_cap(entries: Entries) -> list[str]:
    if not entries.flag(_LEAD + "cap_active"):
        return []
    lead = _LEAD + "cap_"
    begins, ends = lead + "rstart_", lead + "rend_"
    tags = [name.removeprefix(begins) for name in entries.values if name.startswith(begins)]
    numbers = {name: " ".join(map(real_text, entries.array(lead + name))) for name in ("qmin", "qmax")}
    lines = [
        "units au",
        f"potmax {real_text(entries.number(lead + 'potmax'))}",
        f"nq {' '.join(str(int(n)) for n in entries.array(lead + 'nq'))}",
        *(f"{name} {text}" for name, text in numbers.items()),
        "range",
        *(
            f"  {tag} {real_text(entries.number(begins + tag))} {real_text(entries.number(ends + tag))}"
            for tag in tags
        ),
        "end",
    ]
    return ["  spatialcap", *(f"    {line}" for line in lines), "  end"]


def _visualization(entries: Entries) -> list[str]:
    if not entries.flag(_LEAD + "viz_active"):
        return []
    names = ["tstart", "tend", *(["treference"] if entries.flag(_LEAD + "viz_subgs") else [])]
    lines = [f"    {name} {real_text(entries.number(f'{_LEAD}viz_{name}'))}" for name in names]
    return ["  visualization", *lines, "  end"]


def _settings(entries: Entries) -> list[str]:
    lines: list[str] = []
    for name in _KEPT:
        if _LEAD + name in entries:
            value = int(entries.number(_LEAD + name))
            told = (".true." if value else ".false.") if name == "magnus_skipinterpol" else str(value)
            lines.append(f"set {_LEAD}{name} {told}")
    return lines
