"""What the header of a propagation in a log tells of its field, title and electrons."""

import re
from dataclasses import dataclass, field

import numpy as np

_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
_NAME = re.compile(r'\s{12,}"(?P<name>[^"]*)"\s*$')
_ENTRY = re.compile(r"\s+(Type|Polarization|Field maximum)\s*:\s*(\S+)")
_RULE = re.compile(r'\s+Excite geometry "([^"]*)" with "([^"]*)"')
_ELECTRONS = re.compile(r"\s+Total no. electrons\s*:\s*(\d+)")
_MODULE = "NWChem Real-Time TDDFT Module"
#: Lines of a module's heading ahead of its title.
_HEADING = 12


@dataclass(frozen=True)
class RunHeader:
    """A header as read.

    fields: type, polarisation and maximum, as text, by the field's name. excitations: geometry and field.
    """

    title: str = ""
    electrons: int | None = None
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    excitations: tuple[tuple[str, str], ...] = ()

    def kick(self, geometry: str | None) -> np.ndarray | None:
        """(3,) au of the one delta kick that acts on a geometry; None where it is another field, or several.

        The header has no centre: a kick is at the first point unless the deck says otherwise.
        """
        names = [name for of, name in self.excitations if geometry in (None, of)]
        if len(names) != 1:
            return None
        told = self.fields.get(names[0], {})
        axis = _AXES.get(told.get("Polarization", ""))
        if told.get("Type") != "delta" or axis is None:
            return None
        try:
            return float(told["Field maximum"]) * np.array(axis)
        except (KeyError, ValueError):
            return None


class HeaderReader:
    """Takes in lines of a log; `header` is that of the propagation read last."""

    def __init__(self) -> None:
        self.header = RunHeader()
        self._name: str | None = None
        self._title: list[str] | None = None

    def take(self, line: str) -> None:
        """One line that has no `#`."""
        if _MODULE in line:
            self.header, self._name, self._title = RunHeader(), None, []
        elif self._title is not None:
            self._take_title(line)
        elif found := _NAME.match(line):
            self._name = found["name"]
        elif (found := _ENTRY.match(line)) and self._name is not None:
            of_it = {**self.header.fields.get(self._name, {}), found[1]: found[2]}
            self._set(fields={**self.header.fields, self._name: of_it})
        elif found := _RULE.match(line):
            self._set(excitations=(*self.header.excitations, (found[1], found[2])))
        elif found := _ELECTRONS.match(line):
            self._set(electrons=int(found[1]))

    def _set(self, **values: object) -> None:
        kept = {name: getattr(self.header, name) for name in ("title", "electrons", "fields", "excitations")}
        self.header = RunHeader(**{**kept, **values})  # pyright: ignore[reportArgumentType]

    def _take_title(self, line: str) -> None:
        """The first centred line below the module's; ours has one more, about who wrote the log."""
        assert self._title is not None
        self._title.append(line)
        text = line.strip()
        if line.startswith(" " * 6) and text and set(text) != {"-"}:
            self._set(title=text)
            self._title = None
        elif len(self._title) > _HEADING or text.startswith(("The DFT", "General")):
            self._title = None
