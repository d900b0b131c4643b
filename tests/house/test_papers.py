"""What the papers say of commands, options, files and limits holds, and they are short."""

import re
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.propagate import main

ROOT = Path(__file__).parents[2]
OPTIONS = "".join((ROOT / page).read_text() for page in ("docs/commands.md", "docs/neural/commands.md"))
LIMITS = (ROOT / "docs/limits.md").read_text()
COMMANDS = (
    "hybrid-propagate",
    "hybrid-read",
    "hybrid-spectrum",
    "hybrid-campaign",
    "hybrid-warmstart",
    "hybrid-pump-probe",
    "hybrid-dataset",
    "hybrid-dataset convert",
    "hybrid-train",
    "hybrid-train evaluate",
    "hybrid-train adapt",
    "hybrid-export",
    "hybrid-bench",
)
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "*/README.md")
    for path in ROOT.glob(pattern)
    if path.parent.name[0] != "."
)

DECK = """start deck
geometry units angstroms noautosym
  O 0.0 0.0 0.1173
  H 0.0 0.7572 -0.4692
  H 0.0 -0.7572 -0.4692
{geometry}
end
basis
  * library 6-31G
end
dft
  xc pbe0
{dft}
end
{top}
task dft energy
rt_tddft
  tmax 2.0
  dt 0.2
{rt_tddft}
  field "kick"
    type delta
    polarization z
    max 0.0001
{field}
  end
end
task dft rt_tddft
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_names_every_option_and_no_other(command: str) -> None:
    name, *words = command.split()
    program = Path(sysconfig.get_path("scripts")) / name
    shown = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout
    section = re.search(rf"^### {command}$(.*?)^##", OPTIONS, re.MULTILINE | re.DOTALL)
    assert section is not None
    option = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
    assert set(option.findall(section[1])) == set(option.findall(shown)) - {"--help", "--version"}


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z][\w.-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    command = re.compile(r"(?:`|^ {4})make ([a-z][\w.-]*\w)", re.MULTILINE)
    named = {name for page in PAGES for name in command.findall(page.read_text())}
    assert {"demo", "test", "lint"} <= named
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    assert len(text.split()) <= 900


def prose(page: str) -> list[str]:
    """A page's lines but for tables and blocks of code."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if not line.lstrip().startswith("|")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_is_read_in_one_go(page: Path) -> None:
    """At most 120 lines of text, but for the tables that a benchmark writes and the change log."""
    if page.name not in ("CHANGELOG.md", "CONTRIBUTING.md"):
        assert len(prose(page.read_text())) <= 120


def sentences(page: str) -> Iterator[str]:
    """The sentences of a page's paragraphs and items, code as one word."""
    lines = ["" if line.startswith(("#", "    ", "\t")) else line for line in prose(page)]
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", "\n".join(lines)):
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "code", paragraph))
        yield from re.split(r"[.:;!?][*)]*\s", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_sentence_has_at_most_25_words(page: Path) -> None:
    """Between stops, colons and semicolons, numbers not counted; a benchmark writes suite.md."""
    if page.name not in ("CHANGELOG.md", "suite.md"):
        word = re.compile(r"[^\W\d_]{2}|^[aA]$")
        long = [s for s in sentences(page.read_text()) if len([w for w in s.split() if word.search(w)]) > 25]
        assert long == []


def test_files_that_are_named_are_there() -> None:
    """In pages, in code and in configurations: sources, pages and scripts by their path from the root."""
    tops = "adapters|atomic|surrogate|driver|tests|benchmarks|docs|examples|docker"
    name = re.compile(rf"(?<![\w./-])(?:{tops})/[\w/]+\.(?:py|md|nw|yaml|xyz|png|sh)\b")
    patterns = ("*.md", "Makefile", "docs/**/*.md", "benchmarks/*/*.py", "examples/*.*", "*/*.py", "*/*/*.py")
    files = [file for pattern in patterns for file in ROOT.glob(pattern) if file.suffix != ".png"]
    found = {(path, str(file.relative_to(ROOT))) for file in files for path in name.findall(file.read_text())}
    assert {pair for pair in found if not (ROOT / pair[0]).exists()} == set()


def _refused() -> Iterator[tuple[str, str]]:
    """Block and line, from the table of what is refused."""
    table = re.search(r"^\| where \| refused \|$(.*?)^$", LIMITS + "\n", re.MULTILINE | re.DOTALL)
    assert table is not None
    for row in table[1].strip().splitlines()[1:]:
        where, refused = (cell.strip() for cell in row.strip("|").split("|"))
        yield from ((where.strip("`"), line) for line in re.findall(r"`([^`]+)`", refused))


@pytest.mark.parametrize(("where", "line"), list(_refused()))
def test_what_the_page_says_is_refused_is_refused(
    where: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = {"geometry": "", "dft": "", "top": "", "rt_tddft": "", "field": ""}
    name = "top" if where == "top level" else where
    assert name in blocks
    deck = tmp_path / "deck.nw"
    deck.write_text(DECK.format(**(blocks | {name: line})))
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = main([str(deck)])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    last = said.err.splitlines()[-1]
    message = re.fullmatch(rf"hybrid-propagate: {re.escape(str(deck))}:\d+: ([^\n]+)", last)
    assert message is not None, said.err
    assert any(word in message[1].lower() for word in line.lower().split() if not word.isdigit()), said.err
