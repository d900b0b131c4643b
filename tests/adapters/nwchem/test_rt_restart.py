"""Restart files: what is written reads back, and each kind of damage is told by name."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.nwchem.rt_restart import (
    RestartError,
    RestartPoint,
    checksum,
    read_restart,
    restart_text,
    write_restart,
)


def a_point(n_spin: int = 2, n_basis: int = 5) -> RestartPoint:
    values = np.random.default_rng(n_spin).normal(size=(2, n_spin, n_basis, n_basis))
    return RestartPoint(17, 3.2, values[0] + 1j * values[1])


@pytest.mark.parametrize("n_spin", [1, 2])
def test_round_trip(tmp_path: Path, n_spin: int) -> None:
    """Thirteen digits of every number come back."""
    path, point = tmp_path / "w.rt_restart", a_point(n_spin)
    write_restart(path, point)
    found = read_restart(path, n_spin, 5)
    assert (found.point, found.time) == (17, 3.2)
    np.testing.assert_allclose(found.densities, point.densities, rtol=0, atol=1e-12)
    assert os.listdir(tmp_path) == ["w.rt_restart"]


def test_numbers_stay_in_their_columns(tmp_path: Path) -> None:
    """Denormal and huge elements neither run together nor leave their 20 columns."""
    densities = np.array([[[1e-300 - 1e-310j, -1e-99j], [-1.25e3, -3.5e-7 + 0j]]])
    text = restart_text(RestartPoint(1, 0.0, densities))
    assert len(text.splitlines()[7]) == 20 * 8
    assert len(text.splitlines()[7].split()) == 8
    (tmp_path / "f").write_text(text)
    np.testing.assert_allclose(
        read_restart(tmp_path / "f", 1, 2).densities, densities, rtol=1e-12, atol=1e-98
    )


def test_fortran_exponents_without_the_letter(tmp_path: Path) -> None:
    """NWChem prints 1e-150 as `0.1000000000-149`."""
    head = restart_text(RestartPoint(1, 0.0, np.array([[[0.5 + 0j]]]))).splitlines()[:-1]
    body = f"{'0.5000000000E+00':>20}{'0.1000000000-149':>20}"
    (tmp_path / "f").write_text("\n".join([*head, body]) + "\n")
    assert read_restart(tmp_path / "f", 1, 1).densities[0, 0, 0] == 0.5 + 1e-150j


def test_checksum_by_hand() -> None:
    """1.67 Σ|Re P| + 0.12 √max|Re P|, the constants in single precision, summed over spins."""
    densities = np.array([[[1.0, -2.0j], [0.0, -4.0]], [[0.25, 0.0], [0.0, 0.0]]], complex)
    assert checksum(densities) == pytest.approx(1.67 * 5.25 + 0.12 * (2.0 + 0.5), abs=1e-6)


def headed(text: str, name: str, value: str) -> str:
    """The text with another value in its head."""
    return re.sub(rf"^{name} .*$", f"{name:10s}{value}", text, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "empty"),
        (lambda text: "hello\n" + text, "not an NWChem restart file"),
        (lambda text: text[:60], "cut short in its head"),
        (lambda text: text[:1200], "cut short: "),
        (lambda text: text.replace("nmats     2", "nmats     1"), "closed-shell"),
        (lambda text: text.replace("nbf_ao    5", "nbf_ao    6"), "for 6 basis functions; this system has 5"),
        (lambda text: text.replace("it  ", "at  "), "no number for 'it'"),
        (lambda text: text.replace("checksum    ", "checksum   9"), "checksum"),
        (lambda text: text[:-30] + "x" + text[-29:], "not a number"),
        (lambda text: text[:-21] + f"{'nan':>20}\n", "a density element is not a number"),
        (lambda text: text[:-21] + f"{'1e300':>20}\n", "a density element is not a number"),
        (lambda text: headed(text, "nmats", "nan"), "no number for 'nmats'"),
        (lambda text: headed(text, "nbf_ao", "inf"), "no number for 'nbf_ao'"),
        (lambda text: headed(text, "it", "20nan"), "no number for 'it'"),
        (lambda text: headed(text, "it", "1e99"), "no number for 'it' in its head, or one beyond 1e+09"),
        (lambda text: headed(text, "it", "-5"), "it must be a whole number of at least 0, not -5"),
        (lambda text: headed(text, "it", "2.5"), "it must be a whole number of at least 0, not 2.5"),
        (lambda text: headed(text, "t", "nan"), "no number for 't'"),
        (lambda text: headed(text, "t", "-3.0"), "t is -3: propagations start at 0"),
        (lambda text: headed(text, "checksum", "nan"), "no number for 'checksum'"),
    ],
)
def test_damage_is_named(tmp_path: Path, change, message: str) -> None:
    """One line that leads with the file's name."""
    path = tmp_path / "w.rt_restart"
    path.write_text(change(restart_text(a_point())))
    with pytest.raises(RestartError) as error:
        read_restart(path, 2, 5)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    """The system's own words."""
    with pytest.raises(RestartError, match="No such file"):
        read_restart(tmp_path / "none", 1, 2)


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a half-written file nor a left-over appears when the disk gives out."""
    path = tmp_path / "w.rt_restart"
    write_restart(path, a_point())
    old = path.read_bytes()

    def full_disk(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_restart(path, a_point(1))
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["w.rt_restart"]
