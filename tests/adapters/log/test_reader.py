"""Reading logs: against nw_rtparse's documented conventions on real NWChem runs, and against damage."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.log.lines import message_line, vector_line
from hybrid_propagate.adapters.log.reader import LogError, SeriesKey, read_log
from rtparse import parse_like_nw_rtparse


def test_every_series_is_what_nw_rtparse_finds(run) -> None:
    """Each quantity, geometry and spin of a real NWChem 7.0.2 log, number for number."""
    text = run.log.read_text(encoding="utf-8")
    (found,) = read_log(run.log)
    assert found.tag == run.real_time.tag
    assert found.dt == run.real_time.dt
    assert found.magnus
    words = {"Dipole moment": "dipole", "Applied E-field": "efield", "Charge": "charge", "Etot": "energy"}
    words["<S^2>"] = "S2"
    compared = 0
    for key, series in found.series.items():
        if key.name not in words:
            continue
        expected = parse_like_nw_rtparse(
            text, found.tag, words[key.name], key.spin or "closedshell", key.geometry or "system"
        )
        np.testing.assert_array_equal(np.column_stack([series.time, series.values]), expected)
        compared += 1
    assert compared == (16 if run.system.open_shell else 5) + (2 if run.system.open_shell else 0)


def line(time: float, value: float, tag: str = "t", label: str = "Dipole moment [m]") -> str:
    return vector_line(tag, time, (value, 0.0, 0.0), label) + "\n"


def dipole_of(path: Path, text: str) -> tuple[list[float], list[float]]:
    path.write_text(text)
    (found,) = read_log(path)
    series = found.find("Dipole moment")
    return series.time.tolist(), series.values[:, 0].tolist()


def test_a_restart_takes_over_from_its_first_point(tmp_path: Path) -> None:
    """Two joined logs: the repeated point counts once, and points beyond the restart's start give way."""
    first = "".join(line(t, t) for t in (0.0, 0.2, 0.4, 0.6))
    again = message_line("t", 0.2, "Propagation successfully restarted") + "\n"
    second = again + "".join(line(t, 10 + t) for t in (0.2, 0.4))
    assert dipole_of(tmp_path / "log", first + second) == ([0.0, 0.2, 0.4], [0.0, 10.2, 10.4])


def test_a_second_start_is_a_second_run(tmp_path: Path) -> None:
    """Two propagations under one tag are kept apart."""
    start = message_line("t", 0.0, "Propagation started") + "\n"
    (tmp_path / "log").write_text(start + line(0.0, 1.0) + start + line(0.0, 2.0))
    values = [found.find("Dipole moment").values[0, 0] for found in read_log(tmp_path / "log")]
    assert values == [1.0, 2.0]


def test_a_kill_may_cut_the_last_line(tmp_path: Path) -> None:
    """A line that ends early, anywhere, is left out."""
    whole, last = line(0.0, 1.0), line(0.2, 2.0).rstrip("\n")
    for end in range(len(last) + 1):
        assert dipole_of(tmp_path / "log", whole + last[:end]) == ([0.0], [1.0])
    assert dipole_of(tmp_path / "log", whole + last + "\n") == ([0.0, 0.2], [1.0, 2.0])


def test_gzip_and_several_tags(tmp_path: Path) -> None:
    """A compressed log with three tags, in the order of their first line."""
    with gzip.open(tmp_path / "log.gz", "wt") as out:
        out.writelines(line(0.0, 1.0, tag) for tag in ("kick_x", "kick", "<rt_tddft>:"))
    assert [found.tag for found in read_log(tmp_path / "log.gz")] == ["kick_x", "kick", "<rt_tddft>:"]


def test_find_names_what_there_is(tmp_path: Path) -> None:
    """Of several geometries one must be named; the total of three spins is taken."""
    labels = (
        "Dipole moment [a] (alpha spin)",
        "Dipole moment [a] (total spin)",
        "Dipole moment [b] (total spin)",
    )
    (tmp_path / "log").write_text("".join(line(0.0, k, label=label) for k, label in enumerate(labels)))
    (found,) = read_log(tmp_path / "log")
    assert list(found.series) == [
        SeriesKey("Dipole moment", "a", "alpha"),
        SeriesKey("Dipole moment", "a", "total"),
        SeriesKey("Dipole moment", "b", "total"),
    ]
    assert found.find("Dipole moment", "a").values[0, 0] == 1.0
    with pytest.raises(LogError, match=r"2 series fit 'Dipole moment'; there are: Dipole moment \[a\] alpha"):
        found.find("Dipole moment")


def test_files_without_a_log(tmp_path: Path) -> None:
    """Missing, empty, binary and damaged files: one line each."""
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(line(0.0, 1.0).encode() * 50)[:40])
    for name in ("missing", "empty", "binary", "cut.gz"):
        with pytest.raises(LogError) as error:
            read_log(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name}: ")
        assert "\n" not in str(error.value)
