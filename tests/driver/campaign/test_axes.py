"""Axes: what is swept, how runs are named, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hybrid_propagate.adapters.deck import Deck
from hybrid_propagate.adapters.deck.reader import read_deck
from hybrid_propagate.adapters.files.configuration import Source
from hybrid_propagate.driver.campaign.axes import item_tasks, levels_of, values_of, variations_of
from hybrid_propagate.driver.campaign.config import (
    Axes,
    CampaignError,
    FieldSweep,
    Kicks,
    Range,
)
from hybrid_propagate.driver.dataset.config import Level, check_level
from small_decks import HYDRIDE, kicked


@pytest.fixture
def deck(tmp_path: Path) -> Deck:
    path = tmp_path / "hydride.nw"
    path.write_text(kicked(HYDRIDE, tmax=4.0, start="hydride"))
    return read_deck(path)


@pytest.fixture
def source() -> Source:
    import yaml

    root = yaml.compose("axes: {dt: [1], fields: {kick: {max: 1}}, functionals: [a], bases: [b]}")
    return Source(Path("c.yaml"), root, CampaignError)


def test_ranges_are_even_or_of_equal_ratios(source: Source) -> None:
    assert values_of(Range(1.0, 2.0, 3), source, ()) == (1.0, 1.5, 2.0)
    assert values_of(Range(1e-4, 1e-2, 3, "ratio"), source, ()) == (1e-4, 1e-3, 1e-2)
    with pytest.raises(CampaignError, match="spacing ratio is for values above 0"):
        values_of(Range(0.0, 1.0, 3, "ratio"), source, ())
    with pytest.raises(CampaignError, match=re.escape("c.yaml:1: axes: dt: no value; give one at least")):
        values_of((), source, ("axes", "dt"))


def test_runs_are_the_product_of_all_axes(deck: Deck, source: Source) -> None:
    sweep = FieldSweep(max=(1e-4, 1e-3), polarization=("x", "z"))
    axes = Axes(fields={"kick": sweep}, dt=(0.1, 0.2))
    found = variations_of(axes, deck, source)
    assert len(found) == 8
    assert found[0].tag == "dt0.1_kick.max0.0001_kick.polarizationx"
    tasks = item_tasks(deck, axes, found)
    assert len(tasks) == 9
    last = tasks[-1].real_time  # pyright: ignore[reportAttributeAccessIssue]
    assert (last.dt, last.fields[0].maximum, last.fields[0].direction) == (0.2, 1e-3, (0.0, 0.0, 1.0))


def test_a_field_may_have_a_dot_in_its_name(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "hydride.nw"
    path.write_text(kicked(HYDRIDE, tmax=4.0).replace('"kick"', '"my.kick"'))
    deck = read_deck(path)
    axes = Axes(fields={"my.kick": FieldSweep(max=(1e-4, 1e-3))})
    tasks = item_tasks(deck, axes, variations_of(axes, deck, source))[1:]
    assert [task.real_time.fields[0].maximum for task in tasks] == [1e-4, 1e-3]  # pyright: ignore[reportAttributeAccessIssue]


def test_core_potentials_stay_with_their_basis(deck: Deck, source: Source) -> None:
    (first, *others) = deck.tasks
    with_ecp = replace(first, system=replace(first.system, ecp={"Li": []}))
    heavy = replace(deck, tasks=(with_ecp, *others))
    with pytest.raises(CampaignError, match="the deck has effective core potentials"):
        levels_of(Axes(bases=("6-31G",)), heavy, source)
    with pytest.raises(CampaignError, match="LANL2DZ has a core potential for element 47"):
        check_level(Level("LANL2DZ", "hf"), {47}, source, ("axes",))


def test_kicks_take_the_place_of_fields(deck: Deck, source: Source) -> None:
    axes = Axes(kicks=Kicks(("x", "y"), 2e-4))
    found = variations_of(axes, deck, source)
    assert [one.tag for one in found] == ["kick_x", "kick_y"]
    first = item_tasks(deck, axes, found)[1].real_time  # pyright: ignore[reportAttributeAccessIssue]
    assert [(f.shape, f.direction, f.maximum) for f in first.fields] == [("delta", (1.0, 0.0, 0.0), 2e-4)]
    assert [rule.geometry for rule in first.excitations] == ["molecule"]


def test_levels_are_items_of_their_own(deck: Deck, source: Source) -> None:
    found = levels_of(Axes(functionals=("hf", "b3lyp"), bases=("STO-3G", "6-31G")), deck, source)
    assert [name for name, _, _ in found] == ["hf_sto-3g", "hf_6-31g", "b3lyp_sto-3g", "b3lyp_6-31g"]
    assert [one.tasks[0].system.n_basis for _, _, one in found] == [6, 11, 6, 11]
    exchange = [one.tasks[0].system.functional.pyscf.split()[0] for _, _, one in found[::2]]
    assert exchange == ["HF", "0.2*HF"]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (Axes(functionals=("pbe00",)), "axes: functionals: "),
        (Axes(bases=("6-31G", "6-31G")), "6-31G stands twice: two items would have one name"),
        (Axes(fields={"kik": FieldSweep(max=(1.0,))}), "the deck has no such field; it has: kick"),
        (Axes(fields={"kick": FieldSweep()}), "nothing is swept"),
        (Axes(fields={"kick": FieldSweep(frequency=(0.1,))}), "cannot supply frequency if type is delta"),
        (Axes(fields={"kick": FieldSweep(max=(1e9,))}), "max 1e+09: accepted: -1000 to 1000"),
        (Axes(dt=Range(0.0, 0.2, 3)), "axes: dt: 0: accepted: above 0"),
        (Axes(dt=(0.1, 0.1)), "0.1 stands twice"),
    ],
)
def test_what_cannot_be_swept_is_refused(axes: Axes, message: str, deck: Deck, source: Source) -> None:
    with pytest.raises(CampaignError, match=re.escape(message)):
        _ = levels_of(axes, deck, source), variations_of(axes, deck, source)
