"""YAML files as typed values: what may stand in them is a frozen dataclass, which pydantic holds them to.

A dataclass refuses names that it does not know where its class says `__pydantic_config__ = FORBID`; ranges
stand in its types, as `Annotated[int, Field(ge=1)]`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from ...atomic.errors import BadInput
from ..regular_file import read_regular

if TYPE_CHECKING:
    import yaml
    from pydantic_core import ErrorDetails

#: For `__pydantic_config__`.
FORBID: Any = {"extra": "forbid"}
#: Of a file.
_MOST_BYTES = 2**24
#: YAML 1.1 takes 1e-3 for a word; 1.2, as everybody means it, for a number.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_T = TypeVar("_T")
#: Where a value stands: names and numbers from the top of the file on.
Where = Sequence[str | int]


@dataclass(frozen=True, eq=False)
class Source:
    """A file that was read, to say where something stands in it.

    path: of the file. root: what YAML found. error: the class of what is raised.
    """

    path: Path
    root: "yaml.Node"
    error: type[BadInput]

    def refused(self, where: Where, reason: str) -> BadInput:
        """The error to raise for a value: file, line, names that lead to it, and the reason."""
        names = "".join(f"{part}: " for part in self.names(where))
        return self.error(f"{self.path}:{self._line(where)}: {names}{reason}")

    def _walk(self, where: Where) -> "tuple[yaml.Node, list[str | int]]":
        """The innermost node on the way, and the way as far as the file has it."""
        import yaml

        node, names = self.root, []
        for part in where:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == str(part):
                        node = value
                        names.append(part)
                        break
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                names.append(part + 1)
        return node, names

    def _line(self, where: Where) -> int:
        import yaml

        node, _ = self._walk(where)
        above, _ = self._walk(where[:-1])
        if isinstance(above, yaml.MappingNode):
            # The value of a name may begin on the line below it.
            for key, value in above.value:
                if value is node:
                    return key.start_mark.line + 1
        return node.start_mark.line + 1

    def names(self, where: Where) -> "list[str | int]":
        """The part of a way that the file has, entries of lists counted from 1."""
        return self._walk(where)[1]


def read_configuration(path: Path, kind: type[_T], error: type[BadInput]) -> tuple[_T, Source]:
    """Read a file as `kind`, a dataclass; its class `error` is raised for whatever does not fit.

    Numbers are not taken for texts nor texts for numbers, and no name stands twice.
    """
    import yaml

    try:
        loader = _loader(read_regular(path, _MOST_BYTES).decode("utf-8"))
        root = loader.get_single_node()
        content = None if root is None else loader.construct_document(root)
    except OSError as failed:
        raise error(f"{path}: {failed.strerror}") from failed
    except UnicodeDecodeError as failed:
        raise error(f"{path}: not a text file") from failed
    except (yaml.YAMLError, RecursionError, ValueError) as failed:
        raise error(f"{path}: not YAML: {' '.join(str(failed).split())}") from failed
    if root is None or not isinstance(content, Mapping):
        raise error(f"{path}: names with values expected, found {content!r}")
    source = Source(path, root, error)
    _refuse_misleading(source, root, ())
    return _from_mapping(kind, content, source), source


def _from_mapping(kind: type[_T], content: Mapping[str, Any], source: Source) -> _T:
    """A dataclass from names and values. Raises the source's error."""
    from pydantic import TypeAdapter, ValidationError

    try:
        # As JSON: there lists are the only sequences, and a whole number serves as any.
        return TypeAdapter(kind).validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as found:
        errors = found.errors(include_url=False)
        # Of a value that may be of several kinds, the error that lies deepest tells which was meant.
        errors.sort(key=lambda one: -len(source.names(one["loc"])))
        raise source.refused(errors[0]["loc"], _reason(errors, kind)) from None


def _reason(errors: "list[ErrorDetails]", kind: type) -> str:
    """Of the first error; of names that are missing, all of one place."""
    first = errors[0]
    where, name = first["loc"][:-1], first["loc"][-1] if first["loc"] else ""
    match first["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            known = _known(kind, where)
            return f"unknown {name!r}" + (f"; accepted: {', '.join(known)}" if known else "")
        case "missing" | "missing_argument":
            missing = [e["loc"][-1] for e in errors if e["type"] == first["type"] and e["loc"][:-1] == where]
            return f"missing: {', '.join(map(str, missing))}"
        case "dataclass_type" | "dict_type":
            return f"names with values expected, found {first['input']!r}"
        case "literal_error":
            return f"{first['input']!r}; accepted: {first.get('ctx', {}).get('expected', '')}"
        case "too_short":
            return "empty; give one entry at least"
        case "value_error":
            return str(first.get("ctx", {}).get("error", first["msg"]))
    wanted = first["msg"].removeprefix("Input should be ")
    return f"{first['input']!r}; accepted: {wanted}"


def _known(kind: Any, where: Where) -> list[str]:
    """The names that a dataclass on the way has."""
    for part in where:
        kind = _dataclass_in(kind)
        if kind is None:
            return []
        kind = get_type_hints(kind).get(str(part), kind)
    kind = _dataclass_in(kind)
    if kind is None:
        return []
    hints = get_type_hints(kind, include_extras=True)
    return [_alias(hints[field.name]) or field.name for field in fields(kind)]


def _alias(hint: Any) -> str | None:
    """What a file calls a value, where Python has a word of that name."""
    found = (getattr(extra, "alias", None) for extra in getattr(hint, "__metadata__", ()))
    return next((name for name in found if name), None)


def _dataclass_in(hint: Any) -> Any:
    """The first dataclass of a type, such as an optional one or a tuple of some."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((found for part in get_args(hint) if (found := _dataclass_in(part)) is not None), None)


def _refuse_misleading(source: Source, node: "yaml.Node", where: tuple[str | int, ...]) -> None:
    """YAML takes the last of two values of one name, and says nothing; and no file's name has a NUL."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _refuse_misleading(source, value, (*where, number))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise source.refused((*where, key.value), "stands twice")
            seen.add(key.value)
            _refuse_misleading(source, value, (*where, key.value))
    elif "\0" in node.value:
        raise source.refused(where, "has a NUL character")


def _loader(text: str) -> "yaml.SafeLoader":
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML's safe one, with the numbers of YAML 1.2; without aliases, which multiply."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not taken", mark)
            return super().compose_node(parent, index)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, expression) for tag, expression in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
    return Loader(text)
