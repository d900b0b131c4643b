"""`--report` in a real browser: figures, values, sizes, no network; and what its files are made of."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import h5py
import numpy as np
import pytest
from browser import chromium, visit
from hybrid_propagate.driver.answer.deck_lines import earlier_roots
from hybrid_propagate.driver.front_door.run import open_run
from hybrid_propagate.driver.page.words import number
from hybrid_propagate.driver.spectra.kicked_runs import read_kicked_runs
from hybrid_propagate.driver.spectra.lines import absorption_lines
from reported_decks import OPEN_SHELL, TITLE, TWO_KICKS, TWO_TASKS
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

FIGURES = {
    "hydrogen": {"spectrum"},
    "water_kick": {"dipole", "spectrum", "timeline", "spread", "honesty", "energy"},
    "water_pulse": {
        *("dipole", "field", "spectrum", "timeline", "spread", "honesty", "energy"),
        *("occupations", "charges"),
    },
    # An atom alone has no charge that moves.
    "lithium": {"dipole", "field", "spectrum", "timeline", "energy", "s2", "occupations"},
}
PAGES = sorted(FIGURES)
#: Every figure: its name, its box, and how many of its shapes have an extent.
FIGURE_SIZES = """return [...document.querySelectorAll('[data-plot]')].map((host) => {
  const box = host.querySelector('svg').getBoundingClientRect();
  const shapes = [...host.querySelectorAll('path.curve, rect.bar-surrogate, rect.bar-reference, circle.dot')];
  const drawn = shapes.filter((s) => { const b = s.getBBox(); return b.width + b.height > 0; });
  return [host.dataset.plot, box.width, box.height, drawn.length];
})"""
#: Tables in plain view that have to be scrolled.
WIDE_TABLES = """return [...document.querySelectorAll('section > .scroll')]
  .filter((e) => e.scrollWidth > e.clientWidth).length"""
#: Elements with text of their own that is smaller than 12 px, as they are seen.
SMALL_TEXT = """document.querySelectorAll('details').forEach((d) => { d.open = true; });
return [...document.querySelectorAll('body *:not(script):not(noscript):not(style)')]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
  .filter((e) => e.getClientRects().length)
  .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, propagate_in: Callable[..., subprocess.CompletedProcess[str]]
) -> Path:
    """The runs, each with its report."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "water.nw").write_text(TWO_TASKS)
    (folder / "lithium.nw").write_text(OPEN_SHELL.format(tmax=8.0))
    (folder / "hydrogen.nw").write_text(TWO_KICKS)
    (folder / "lithium_density.gif").write_bytes(b"of an earlier run")
    for deck, *options in (
        ("water.nw", "--max-ml-steps", "40"),
        ("lithium.nw", "--surrogate", "none"),
        ("hydrogen.nw",),
    ):
        ended = propagate_in(folder, deck, "--report", *options)
        assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.mark.parametrize("width", [1200, 380])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_as_it_should(browser: webdriver.Chrome, folder: Path, name: str, width: int) -> None:
    visit(browser, folder / f"{name}.html", width)
    assert browser.get_log("browser") == []
    sizes = browser.execute_script(FIGURE_SIZES)
    assert {size[0] for size in sizes} == FIGURES[name]
    for figure, across, high, drawn in sizes:
        assert across > 300, figure
        assert high > 80, figure
        assert drawn > 0, figure
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(WIDE_TABLES) == 0
    assert browser.execute_script(SMALL_TEXT) == []
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, "opened details widen the page"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing(browser: webdriver.Chrome, folder: Path, name: str) -> None:
    page = folder / f"{name}.html"
    visit(browser, page)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked
    assert {url for url in asked if not url.startswith("data:")} == {page.as_uri()}


def test_the_page_s_policy_forbids_scripts_and_requests(browser: webdriver.Chrome, folder: Path) -> None:
    """So that no text of a deck, escaped or not, can do anything."""
    visit(browser, folder / "water_kick.html")
    browser.execute_script("""const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.appendChild(script);
    fetch('https://example.org/').catch(() => { window.refused = true; });""")
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    assert browser.execute_script("return [window.ran, window.refused]") == [None, True]


def test_texts_of_the_deck_are_shown_as_they_are(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    assert browser.title == TITLE
    assert browser.find_element(By.TAG_NAME, "h1").text == TITLE
    shown = browser.execute_script("return document.querySelector('pre').textContent")
    assert shown == TWO_TASKS
    assert escape(TITLE) in (folder / "water_kick.html").read_text()


def test_the_verdict_is_the_summary_s(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_pulse.html")
    summary = json.loads((folder / "water_pulse.json").read_text())
    said = browser.find_element(By.CLASS_NAME, "verdict").text
    assert f"{summary['steps']} steps, {summary['fock_builds']} Fock builds, estimated error " in said
    assert number(summary["estimated_error"], 2).replace("\u00a0", " ") in said
    met = "✓ meets" if summary["tolerance_met"] else "✗ does not meet"
    assert browser.find_element(By.CLASS_NAME, "standing").text.startswith(met)
    about = browser.find_element(By.CLASS_NAME, "about").text
    assert summary["command"] in about
    assert summary["cpu"] in about
    assert f"pyscf {summary['versions']['pyscf']}" in about
    spent = {what for what, seconds in summary["seconds"].items() if seconds > 0.0}
    assert spent <= {e.text for e in browser.find_elements(By.CSS_SELECTOR, ".bars .name")}


def test_lines_carry_their_energies(browser: webdriver.Chrome, folder: Path) -> None:
    """The fitted lines, though the run is 1.2 τ long."""
    visit(browser, folder / "water_kick.html")
    lines = absorption_lines(read_kicked_runs(folder / "water_kick.h5"))
    assert lines
    labels = {e.text for e in browser.find_elements(By.CSS_SELECTOR, "[data-plot=spectrum] .peak")}
    assert labels == {f"{line.energy:.2f}" for line in lines}


def test_a_deck_of_several_kicks_has_one_page_with_its_lines(browser: webdriver.Chrome, folder: Path) -> None:
    """The strongest line first; beside it the root of `task tddft`; the runs' pages a click away."""
    visit(browser, folder / "hydrogen.html")
    summary = json.loads((folder / "hydrogen.json").read_text())
    strongest = max(summary["lines"], key=lambda line: line["strength"])
    said = browser.find_element(By.CLASS_NAME, "verdict").text
    assert f"1 line at {strongest['energy']:.3f} eV" in said
    rows = browser.find_elements(By.CSS_SELECTOR, "section table tbody tr")
    row = next(row.text for row in rows if row.text.startswith(f"{strongest['energy']:.3f}"))
    limit = f"{strongest['converged_energy']:.3f}"
    assert f"dt → 0: {limit}" in row
    assert float(row.split()[-3]) == pytest.approx(strongest["converged_energy"], abs=2e-3)
    kept = earlier_roots([folder / "none.json", folder / "hydrogen.json"])
    assert kept
    assert earlier_roots([folder / "hydrogen_kick_z.json"]) == kept
    assert [root["energy"] for root in summary["task_tddft"]] == [root.energy for root in kept]
    sticks = "return document.querySelectorAll('[data-plot=spectrum] .stick').length"
    assert browser.execute_script(sticks) > 0
    for link in browser.find_elements(By.CSS_SELECTOR, "td a"):
        assert (folder / str(link.get_attribute("href")).rsplit("/", 1)[1]).exists()


def test_the_time_line_has_every_segment_and_decision(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_pulse.html")
    with h5py.File(folder / "water_pulse.h5") as file:
        kinds = [kind.decode() for kind in file["control/event_kind"][()]]
        segments = [kind.decode() for kind in file["control/segment_kind"][()]]
        reasons = {reason.decode() for reason in file["control/segment_reason"][()]}
    assert "anchor" in kinds
    count = "return document.querySelectorAll(`[data-plot=timeline] ${arguments[0]}`).length"
    for kind, swatch in (("anchor", "c0"), ("refinement", "c3"), ("audit", "c2"), ("rejection", "c4")):
        assert browser.execute_script(count, f".mark.{swatch}") == kinds.count(kind), kind
    for kind in ("surrogate", "reference"):
        assert browser.execute_script(count, f"rect.bar-{kind}") == segments.count(kind), kind
    listed = {e.text for e in browser.find_elements(By.CSS_SELECTOR, "table td:first-child > code")}
    assert reasons <= listed


def test_pointing_reads_values(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    figure = browser.find_element(By.CSS_SELECTOR, "[data-plot=dipole] svg")
    ActionChains(browser).move_to_element(figure).perform()
    said = browser.find_element(By.CSS_SELECTOR, "[data-plot=dipole] .tooltip").text.replace("−", "-")
    title, *rows = said.splitlines()
    with h5py.File(folder / "water_kick.h5") as file:
        time, dipole = file["dynamics/time"][()], file["dynamics/dipole"][()]
    at = float(title.split(" au")[0])
    z = next(row for row in rows if row.startswith("z ")).removeprefix("z ").removesuffix(" au")
    mantissa, exponent = z.split(" × 10")
    value = float(mantissa) * 10 ** int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    expected = (dipole[:, 2] - dipole[0, 2])[np.argmin(np.abs(time - at))]
    assert value == pytest.approx(expected, rel=2e-3)


def test_a_touch_reads_values_until_the_next(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html", 380)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    where = """const box = document.querySelector(arguments[0]).getBoundingClientRect();
    window.scrollBy(0, box.top - 200);
    const now = document.querySelector(arguments[0]).getBoundingClientRect();
    return { x: now.left + now.width / 2, y: now.top + now.height / 2 }"""
    shown = "return !document.querySelector('[data-plot=dipole] .tooltip').hidden"
    for target, expected in (("[data-plot=dipole] svg", True), ("[data-plot=spectrum] svg", False)):
        point = browser.execute_script(where, target)
        touch = "Input.dispatchTouchEvent"
        browser.execute_cdp_cmd(touch, {"type": "touchStart", "touchPoints": [point]})
        browser.execute_cdp_cmd(touch, {"type": "touchEnd", "touchPoints": []})
        assert browser.execute_script(shown) == expected
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_a_drag_zooms_all_figures_over_time(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    last_tick = "return [...document.querySelectorAll('[data-plot=energy] text.tick')].at(-1).textContent"
    assert float(browser.execute_script(last_tick)) > 40.0
    figure = browser.find_element(By.CSS_SELECTOR, "[data-plot=dipole] svg")
    drag = ActionChains(browser).move_to_element_with_offset(figure, -200, 0).click_and_hold()
    drag.move_to_element_with_offset(figure, -100, 0).release().perform()
    assert float(browser.execute_script(last_tick)) < 30.0
    browser.find_element(By.ID, "whole-run").click()
    assert float(browser.execute_script(last_tick)) > 40.0


def test_a_legend_hides_curves(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    curves = "return document.querySelectorAll('[data-plot=spectrum] path.curve').length"
    assert browser.execute_script(curves) == 2
    browser.find_element(By.CSS_SELECTOR, "[data-plot=spectrum] button.key").click()
    assert browser.execute_script(curves) == 1
    assert browser.get_log("browser") == []


def test_only_components_that_move_are_drawn(browser: webdriver.Chrome, folder: Path) -> None:
    """A kick along the axis of symmetry moves nothing across it; the unit says which one it is."""
    visit(browser, folder / "water_kick.html")
    curves = "return document.querySelectorAll('[data-plot=dipole] path.curve').length"
    assert browser.execute_script(curves) == 1
    unit = browser.find_element(By.CSS_SELECTOR, "[data-plot=dipole] .unit").text
    assert unit.endswith("au along z")


def test_what_moves_in_a_pulse(browser: webdriver.Chrome, folder: Path) -> None:
    """The table has what the run's files say of the time in which the field acts."""
    visit(browser, folder / "water_pulse.html")
    run = open_run(folder / "water_pulse.h5")
    field = np.abs(run.field).max(axis=1)
    acting = run.time[field > 1e-3 * field.max()]
    found = run.moved(float(acting[0]), float(acting[-1]))
    row = browser.find_element(By.XPATH, "//h2[text()='What moves']/..//tbody/tr[1]").text
    largest = found.transitions[0]
    assert number(found.electrons).replace("\u00a0", " ") in row
    assert f"{largest.occupied}→{largest.empty} {100 * largest.weight:.0f} %" in row
    assert f"O1 {100 * found.atoms[0].leaves:.0f}" in row
    labels = [e.text for e in browser.find_elements(By.CSS_SELECTOR, "[data-plot=charges] .legend *")]
    assert {"O1", "H2", "H3"} <= set(labels)


def test_transition_densities_are_in_the_page(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    sizes = "return [...document.querySelectorAll('.pictures img')].map((i) => [i.complete, i.naturalWidth])"
    pictures = browser.execute_script(sizes)
    lines = absorption_lines(read_kicked_runs(folder / "water_kick.h5"))
    assert len(pictures) == min(len(lines), 3) > 0
    assert all(complete and width > 300 for complete, width in pictures)


def test_dark_and_light(browser: webdriver.Chrome, folder: Path) -> None:
    paper = []
    for scheme in ("light", "dark"):
        visit(browser, folder / "lithium.html", scheme=scheme)
        rgb = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        paper.append(sum(int(part) for part in rgb.strip("rgb()").split(",")) / 3)
    assert paper[0] > 230
    assert paper[1] < 50


def test_paper_is_white_whatever_the_screen_is(browser: webdriver.Chrome, folder: Path) -> None:
    """Nobody prints light letters."""
    visit(browser, folder / "lithium.html", scheme="dark")
    media = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        rgb = browser.execute_script("return getComputedStyle(document.body).color")
        assert sum(int(part) for part in rgb.strip("rgb()").split(",")) / 3 < 100
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_paper_has_headings_side_by_side_and_terms_beside_what_they_mean(
    browser: webdriver.Chrome, folder: Path
) -> None:
    """A sheet of A4 is as narrow as a tablet, whose rules would hold on it."""
    visit(browser, folder / "water_pulse.html", 718)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    tops = "return [...document.querySelectorAll(arguments[0])].map((e) => e.getBoundingClientRect().top)"
    try:
        left, right = browser.execute_script(tops, ".pair h2")
        assert left == pytest.approx(right, abs=1.0)
        terms = browser.execute_script(tops, ".about dt")
        assert terms
        assert terms == pytest.approx(browser.execute_script(tops, ".about dd"), abs=3.0)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_long_path_does_not_widen_a_telephone_s_page(
    browser: webdriver.Chrome, folder: Path, tmp_path: Path
) -> None:
    text = (folder / "lithium.html").read_text()
    long = text.replace(" lithium.nw ", f" {'/of/many/folders' * 9} ")
    assert long != text
    (tmp_path / "long.html").write_text(long)
    visit(browser, tmp_path / "long.html", 380)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 380


def test_rounding_is_no_curve(browser: webdriver.Chrome, folder: Path) -> None:
    """⟨S²⟩ in single precision steps by 6e-8, which filled its figure; a real change still does."""
    visit(browser, folder / "lithium.html")
    low, high = browser.execute_script("return padded([0.75, 0.75000006], 0.06)")
    assert high - low > 0.05
    low, high = browser.execute_script("return padded([0.75, 0.7501], 0.06)")
    assert high - low < 2e-4


def test_nothing_is_explained_that_is_not_there(browser: webdriver.Chrome, folder: Path) -> None:
    """Across its bond hydrogen has no line in so small a basis, and `task tddft` no bright root."""
    visit(browser, folder / "hydrogen_kick_x.html")
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "No line stands out" in text
    assert "Energies stand" not in text
    assert "Sticks" not in text
    visit(browser, folder / "hydrogen.html")
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Energies stand" in text
    assert "Sticks" in text
    assert "1 line at " in text


def test_the_movie_is_in_the_page(browser: webdriver.Chrome, folder: Path) -> None:
    visit(browser, folder / "water_kick.html")
    size = "const m = document.querySelector('img.movie'); return m && [m.complete, m.naturalWidth]"
    complete, width = browser.execute_script(size)
    assert complete
    assert width > 300
    for without in ("water_pulse", "lithium"):
        visit(browser, folder / f"{without}.html")
        assert browser.execute_script(size) is None


def test_of_a_finished_run(folder: Path, propagate_in, tmp_path: Path) -> None:
    """`--report --restart` makes the page from the files alone, the same one."""
    for path in folder.glob("lithium.*"):
        shutil.copy(path, tmp_path)
    page = tmp_path / "lithium.html"
    before = page.read_text()
    page.unlink()
    stored = (tmp_path / "lithium.h5").read_bytes()
    ended = propagate_in(tmp_path, "lithium.nw", "--surrogate", "none", "--report", "--restart")
    assert ended.returncode == 0, ended.stderr
    assert page.read_text() == before
    assert (tmp_path / "lithium.h5").read_bytes() == stored


def test_of_a_run_without_a_step(browser: webdriver.Chrome, propagate_in, tmp_path: Path) -> None:
    """NWChem makes none where tmax is not beyond dt."""
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=0.2))
    ended = propagate_in(tmp_path, "lithium.nw", "--report")
    assert ended.returncode == 0, ended.stderr
    visit(browser, tmp_path / "lithium.html")
    assert browser.get_log("browser") == []
    assert browser.find_element(By.CLASS_NAME, "verdict").text.startswith("0 steps, 0 Fock builds")
    assert browser.find_elements(By.CSS_SELECTOR, "[data-plot], .movie") == []


def test_of_a_resumed_run(propagate_in, tmp_path: Path) -> None:
    """A run that goes on counts the seconds of its earlier parts too."""
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=4.0))
    assert propagate_in(tmp_path, "lithium.nw", "--surrogate", "none").returncode == 0
    first = json.loads((tmp_path / "lithium.json").read_text())
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=8.0))
    ended = propagate_in(tmp_path, "lithium.nw", "--surrogate", "none", "--report", "--restart")
    assert ended.returncode == 0, ended.stderr
    second = json.loads((tmp_path / "lithium.json").read_text())
    assert second["seconds"]["reference steps"] > first["seconds"]["reference steps"]
    # A sum in another order may round otherwise.
    assert second["wall_seconds"] > 0.999 * sum(second["seconds"].values())
    assert f"<b>{second['steps']} steps</b>" in (tmp_path / "lithium.html").read_text()
    assert second["steps"] == 39


def test_without_report_there_is_no_page(propagate_in, tmp_path: Path) -> None:
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=1.0))
    assert propagate_in(tmp_path, "lithium.nw", "--surrogate", "none").returncode == 0
    assert not (tmp_path / "lithium.html").exists()


def test_of_a_run_by_nwchem(propagate_in, tmp_path: Path) -> None:
    (tmp_path / "lithium.nw").write_text(OPEN_SHELL.format(tmax=1.0))
    ended = propagate_in(tmp_path, "lithium.nw", "--surrogate", "none", "--engine", "nwchem", "--report")
    assert ended.returncode == 0, ended.stderr
    assert "<dd>NWChem, <code>nwchem</code></dd>" in (tmp_path / "lithium.html").read_text()
