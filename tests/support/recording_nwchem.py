"""A fake `nwchem` that writes down the logical lines of its deck, as NWChem's own reader finds them.

Rules of that reader (src/inp/inp.F): a trailing backslash joins, `#` starts a comment, `;` ends a line unless
a backslash stands before it, `"` groups. The lines go as JSON to `recorded.json` in the folder that RECORD_IN
names; `task shell` is carried out; the exit code is 1.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def logical_lines(text: str) -> list[list[str]]:
    """Fields of every logical line."""
    lines: list[list[str]] = []
    buffer = ""
    for physical in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        buffer = (buffer + physical).rstrip(" \t")
        if buffer.endswith("\\"):
            buffer = buffer[:-1] + " "
            continue
        if buffer in (".", "*") or buffer.lower() == "eof":
            break
        for part in _split(_without_comment(buffer[:1024])):
            if fields := _fields(part):
                lines.append(fields)
        buffer = ""
    return lines


def _without_comment(line: str) -> str:
    kept, k = "", 0
    while k < len(line):
        if line.startswith("\\#", k):
            kept, k = kept + "#", k + 2
        elif line[k] == "#":
            break
        else:
            kept, k = kept + line[k], k + 1
    return kept


def _split(line: str) -> list[str]:
    parts, k = [""], 0
    while k < len(line):
        if line.startswith("\\;", k):
            parts[-1], k = parts[-1] + ";", k + 2
        elif line[k] == ";":
            parts, k = [*parts, ""], k + 1
        else:
            parts[-1], k = parts[-1] + line[k], k + 1
    return parts


def _fields(line: str) -> list[str]:
    fields, k = [], 0
    while k < len(line):
        if line[k] in " \t":
            k += 1
        elif line[k] == '"':
            end, word = k + 1, ""
            while end < len(line) and line[end] != '"':
                if line.startswith('\\"', end):
                    end += 1
                word, end = word + line[end], end + 1
            fields, k = [*fields, word], end + 1
        else:
            end = k
            while end < len(line) and line[end] not in " \t":
                end += 1
            fields, k = [*fields, line[k:end]], end
    return fields


def main() -> None:
    lines = logical_lines(Path(sys.argv[-1]).read_text(encoding="latin-1"))
    Path(os.environ["RECORD_IN"], "recorded.json").write_text(json.dumps(lines))
    for words in lines:
        if [word.lower() for word in words[:2]] == ["task", "shell"]:
            subprocess.run(" ".join(words[2:]), shell=True, check=False, cwd=os.environ["RECORD_IN"])
    print(" input_parse: recorded                     0", flush=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
