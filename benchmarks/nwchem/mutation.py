"""A deck with one to three changes: numbers, words, lines and characters, the same ones for a number."""

import random
import re

from mutant_decks import DECKS

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
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")


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
