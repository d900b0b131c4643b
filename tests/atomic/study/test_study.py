"""The study's energies: two solvers agree, a stopped run resumes, failures carry no energy."""

import json
from pathlib import Path

import pytest
from hybrid_propagate.atomic.solver.configuration import parse_configuration
from hybrid_propagate.atomic.solver.model import Model
from hybrid_propagate.atomic.solver.scf import solve_atom
from hybrid_propagate.atomic.study.configuration_space import generate
from hybrid_propagate.atomic.study.gaussian_atom import gaussian_energy
from hybrid_propagate.atomic.study.ionisation import MEASURED, ionisation_energy, mean_absolute_error
from hybrid_propagate.atomic.study.study import energy_map, lowest_is_ground, neutral_energies, run
from nist import rows


@pytest.mark.parametrize(("z", "text"), [(1, "1s1"), (2, "1s1 2s1"), (3, "1s2 3s1"), (5, "1s2 2s2 2p1")])
def test_gaussian_and_radial_energies_agree(z: int, text: str) -> None:
    """Above the radial energy by the basis error, below 2e-4 Ha."""
    configuration = parse_configuration(text)
    radial = solve_atom(z, configuration=configuration, model=Model(spin=True)).energies.total
    assert 0 < gaussian_energy(z, configuration) - radial < 2e-4


def test_a_stopped_run_resumes_and_repeats_nothing(tmp_path: Path) -> None:
    cases = [case for z in (2, 3) for case in generate(z, 12)]
    path = tmp_path / "results.jsonl"
    whole = run(cases, ["radial"], path, workers=1)
    lines = path.read_text().splitlines()
    assert len(whole) == len(lines) == 24

    path.write_text("\n".join(lines[:9]) + "\n" + lines[9][:40])
    seen: list[tuple[int, int]] = []
    again = run(
        cases, ["radial"], path, workers=1, on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen[0] == (9, 24)
    assert seen[-1] == (24, 24)
    assert len(again) == 24
    energies = {(r.z, r.configuration): r.energy for r in whole}
    assert {(r.z, r.configuration): r.energy for r in again} == pytest.approx(energies, abs=1e-7)


def test_two_processes_give_the_same_records(tmp_path: Path) -> None:
    cases = [case for z in (4, 5) for case in generate(z, 4)]
    one = run(cases, ["radial"], tmp_path / "one", workers=1)
    two = run(cases, ["radial"], tmp_path / "two", workers=2)
    assert {(r.z, r.configuration): r.energy for r in two} == {(r.z, r.configuration): r.energy for r in one}


def test_an_unbound_configuration_has_a_reason_and_no_energy(tmp_path: Path) -> None:
    records = run(generate(1, 20), ["radial"], tmp_path / "results.jsonl", workers=1)
    unbound = [r for r in records if r.status == "unbound"]
    assert unbound
    assert all(r.energy is None and "\n" not in r.reason and r.reason for r in unbound)
    stored = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [r["energy"] for r in stored if r["status"] == "unbound"] == [None] * len(unbound)


def test_lowest_configuration_of_light_atoms_is_the_experimental_one(tmp_path: Path) -> None:
    cases = [case for z in (2, 5, 7, 8, 22) for case in generate(z, 20)]
    records = run(cases, ["radial"], tmp_path / "results.jsonl", workers=1)
    assert [lowest_is_ground(records, z)[1] for z in (2, 5, 7, 8)] == [True] * 4
    # LSDA prefers 3d3 4s1 in titanium: Harris and Jones, J. Chem. Phys. 68, 3316 (1978).
    assert not lowest_is_ground(records, 22)[1]
    lowest = min(neutral_energies(records, 7).values())
    assert energy_map(records)[1.714286, 0.428571, 1.5, 7] == lowest


def test_ionisation_energies() -> None:
    measured = {int(r["Z"]): float(r["IE_eV"]) for r in rows("nist_first_ionization.csv")}
    assert [measured[z] for z in range(1, 109)] == pytest.approx(list(MEASURED), rel=1e-5)
    found = {z: ionisation_energy(z, Model(spin=True)) for z in range(1, 11)}
    assert mean_absolute_error(found, range(1, 11)) == pytest.approx(
        0.404, abs=0.002
    )  # from NIST's LSD totals
