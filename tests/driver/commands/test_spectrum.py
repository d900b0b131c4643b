"""`hybrid-spectrum` as a user runs it: on logs and stores, and on what cannot be used."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.log.lines import message_line, vector_line
from hybrid_propagate.driver.commands.spectrum import main

DT, MAXIMUM, OMEGA = 0.2, 1e-4, 0.4
EV = 27.211386245988
TIME = DT * np.arange(2000)
# A line broadened to a half width 1/τ peaks at √(ω₀² + 1/τ²).
PEAK_EV = 27.211386245988 * np.hypot(OMEGA, 1 / 50)


def dipole(axis: int) -> np.ndarray:
    """One line at 0.4 au of strength 2 for a kick along an axis, on a static dipole."""
    change = MAXIMUM * DT / 2 * 2.0 / OMEGA * np.sin(OMEGA * np.maximum(TIME - DT / 2, 0.0))
    return np.array([0.0, 0.1, -0.9]) + np.outer(change, np.eye(3)[axis])


def field(axis: int) -> np.ndarray:
    values = np.zeros((len(TIME), 3))
    values[0, axis] = MAXIMUM
    return values


def log_text(axis: int, tag: str, geometries: tuple[str, ...] = ("m",), *, with_field: bool = True) -> str:
    lines = [message_line(tag, 0.0, "Propagation started")]
    for k, (t, mu, e) in enumerate(zip(TIME, dipole(axis), field(axis), strict=True)):
        for n, geometry in enumerate(geometries):
            if with_field:
                for spin in ("alpha", "beta"):
                    applied = e if n == 0 else 0.0 * e
                    lines.append(vector_line(tag, t, applied, f"Applied E-field [{geometry}] ({spin} spin)"))
            lines.append(vector_line(tag, t, mu / (n + 1), f"Dipole moment [{geometry}]"))
        if k == 5:
            lines.append("a line of something else # Dipole moment")
    return "\n".join(lines) + "\n"


def store(path: Path, axis: int) -> None:
    """The datasets of a trajectory file that a spectrum needs."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"molecule": "toy", "dt": DT})
        file["dynamics/time"], file["dynamics/dipole"], file["dynamics/field"] = (
            TIME,
            dipole(axis),
            field(axis),
        )


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def strongest(data: Path) -> tuple[float, float]:
    """Energy (eV) and height of the highest row of a `.dat` file."""
    table = np.loadtxt(data)
    return tuple(table[table[:, 1].argmax(), :2].tolist())


@pytest.mark.parametrize("files", [["a.out"], ["x.h5", "yz.log"], ["x.h5", "y.h5", "z.h5"]])
def test_three_kicks_from_any_mixture_of_files(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One log with three tags, stores, or both: the same averaged spectrum, its line on standard output."""
    Path("a.out").write_text("".join(log_text(k, f"kick_{axis}") for k, axis in enumerate("xyz")))
    Path("yz.log").write_text(log_text(1, "<rt_tddft>:") + log_text(2, "<rt_tddft>:"))
    for k, axis in enumerate("xyz"):
        store(Path(f"{axis}.h5"), k)
    assert main([*files, "--output", "out"]) == 0
    energy, height = strongest(Path("out.dat"))
    assert energy == pytest.approx(PEAK_EV, abs=0.01)
    # S = 2π f τ / c with f = 2, τ = 50.
    assert height == pytest.approx(2 * np.pi * 2.0 * 50.0 / 137.036, rel=5e-3)
    assert "Im Tr alpha" in Path("out.dat").read_text()
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
    assert f"{PEAK_EV:12.3f}"[:-1] in capsys.readouterr().out


def test_default_names_and_options() -> None:
    """The first file's stem; energies up to --emax; --tau sets the width."""
    store(Path("water.h5"), 2)
    assert main(["water.h5", "--tau", "100", "--emax", "20", "--pade"]) == 0
    table = np.loadtxt("water_spectrum.dat")
    assert table[-1, 0] == pytest.approx(20.0)
    assert strongest(Path("water_spectrum.dat"))[1] == pytest.approx(
        2 * np.pi * 2.0 * 100.0 / 137.036, rel=5e-3
    )


def test_a_kick_given_by_hand() -> None:
    """Logs that do not print their field."""
    Path("a.log").write_text(log_text(1, "t", with_field=False))
    store(Path("a.h5"), 1)
    assert main(["a.log", "--kick", f"y={MAXIMUM * DT / 2}", "--output", "by_hand"]) == 0
    assert main(["a.h5", "--output", "stored"]) == 0
    np.testing.assert_allclose(np.loadtxt("by_hand.dat"), np.loadtxt("stored.dat"), rtol=0, atol=1e-4)


def test_the_kicked_fragment_counts() -> None:
    """Of two geometries the one with the field, unless another is named."""
    Path("two.log").write_text(log_text(0, "t", ("left", "whole")))
    assert main(["two.log", "--output", "left"]) == 0
    assert strongest(Path("left.dat"))[1] == pytest.approx(2 * np.pi * 2.0 * 50.0 / 137.036, rel=5e-3)


def test_what_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, exit code 2, nothing written."""
    Path("text").write_text("hello\n")
    Path("no_field.log").write_text(log_text(0, "t", with_field=False))
    Path("x.log").write_text(log_text(0, "t"))
    Path("two.log").write_text(log_text(0, "t", ("left", "whole"), with_field=False))
    Path("broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with h5py.File("other.h5", "w") as file:
        file["something"] = 1
    with h5py.File("uneven.h5", "w") as file:
        file.attrs["dt"] = DT
        file["dynamics/time"], file["dynamics/dipole"], file["dynamics/field"] = TIME, dipole(0)[:7], field(0)
    with h5py.File("still.h5", "w") as file:
        file.attrs["dt"] = DT
        file["dynamics/time"], file["dynamics/dipole"], file["dynamics/field"] = TIME, dipole(0), 0 * field(0)
    with h5py.File("second.h5", "w") as file:
        file.attrs["dt"] = DT
        series = (TIME + 9.8, dipole(0), 0 * field(0))
        file["dynamics/time"], file["dynamics/dipole"], file["dynamics/field"] = series
    before = set(os.listdir())
    for arguments, message in (
        (["missing.h5"], "missing.h5: No such file"),
        (["."], ".: a folder, not a file"),
        (["text"], "text: no RT-TDDFT lines"),
        (["no_field.log"], "give the kick with --kick"),
        (["a.log", "--occupied", "1"], "a.log: --occupied needs a trajectory file, <start>.h5"),
        (["x.log", "--tag", "kick"], "no tag 'kick'; there are: t"),
        (["x.log", "--geometry", "h2"], "0 series fit 'Dipole moment'"),
        (["x.log", "x.log"], "a second run kicked along x"),
        (["two.log"], "several geometries (left, whole)"),
        (["broken.h5"], "broken.h5: no trajectory"),
        (["other.h5"], "other.h5: no trajectory"),
        (["uneven.h5"], "different lengths"),
        (["second.h5"], "begins at 9.8 au, behind its kick: name the part before too"),
        (["still.h5"], "the field is zero throughout"),
        (["x.log", "--output", "nowhere/out"], "nowhere/out.dat: No such file"),
    ):
        assert main(arguments) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        assert error.startswith("hybrid-spectrum: ")
        assert error.count("\n") == 1
    assert set(os.listdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [["--tau", "0", "f"], ["--kick", "q=1", "f"], ["--kick", "x=", "f"], ["--occupied", "3-2", "f"], []],
)
def test_bad_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_imports_nothing_heavy() -> None:
    """No numerical library is imported for it."""
    command = """if True:
        import sys
        from hybrid_propagate.driver.commands.spectrum import main
        try:
            main(["--help"])
        except SystemExit:
            print(sorted({"numpy", "h5py", "scipy", "matplotlib", "pyscf"} & set(sys.modules)))
    """
    shown = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    assert "--pade" in shown
    assert shown.rstrip().endswith("[]")


# --- what further files, fields and forms there are ---


def run_of(name: str, field: np.ndarray, dipole: np.ndarray, **attributes: object) -> str:
    with h5py.File(name, "w") as file:
        file.attrs.update({"molecule": "toy", "dt": DT, "tag": "toy", **attributes})
        file["dynamics/time"], file["dynamics/dipole"], file["dynamics/field"] = (
            TIME[: len(field)],
            dipole,
            field,
        )
    return name


def oscillator(field: np.ndarray, lines: dict[float, float]) -> np.ndarray:
    """Dipole along z of lines (energy in au: strength) in a field (n,), each step in the mean of its ends."""
    times = TIME[: len(field)]
    mean = 0.5 * (field[:-1] + field[1:])
    mu = np.zeros((len(times), 3))
    for omega, strength in lines.items():
        # ∫ of sin ω(t - t') over a step, summed by its two quadratures.
        c = np.cos(omega * times)
        s = np.sin(omega * times)
        in_c = np.concatenate([[0.0], np.cumsum(mean * (s[1:] - s[:-1]) / omega)])
        in_s = np.concatenate([[0.0], np.cumsum(mean * (c[:-1] - c[1:]) / omega)])
        mu[:, 2] += strength / omega * (s * in_c - c * in_s)
    return mu


def lines_printed(text: str) -> dict[float, float]:
    maxima = text.split(" fitted (eV)")[0].splitlines()
    rows = [line.split() for line in maxima if re.match(r"^ +\d+\.\d{3} ", line)]
    return {float(row[0]): float(row[2]) for row in rows}


def test_a_weak_first_line_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Water's lines by linear response: the first has 3 % of the strongest one's strength."""
    lines = {8.13: 0.0124, 10.25: 0.101, 12.70: 0.092, 15.03: 0.414, 18.46: 0.241}
    field = np.zeros(1000)
    field[0] = 1e-4
    values = oscillator(field, {energy / EV: strength for energy, strength in lines.items()})
    run_of("water.h5", np.outer(field, [0, 0, 1]), values)
    assert main(["water.h5", "--output", "out"]) == 0
    shown = capsys.readouterr().out
    fitted = [line.split() for line in shown.split("oscillator strength")[2].splitlines()[1:6]]
    for (energy, strength), row in zip(lines.items(), fitted, strict=True):
        # No damping and no neighbour moves a fitted line.
        assert float(row[0]) == pytest.approx(energy, abs=2e-3)
        assert float(row[2]) == pytest.approx(strength, rel=1e-2)
    found = lines_printed(shown)
    assert len(found) == 5
    for energy in lines:
        assert min(abs(energy - other) for other in found) < 0.15


def test_a_narrow_pulse_gives_the_lines_of_a_kick(capsys: pytest.CaptureFixture[str]) -> None:
    """α(ω) = μ(ω) / E(ω): within 0.05 eV, and the strength within 1 %."""
    field = 1e-4 * np.exp(-((TIME - 5.0) ** 2) / (2.0 * 0.8**2))
    run_of("pulse.h5", np.outer(field, [0, 0, 1]), oscillator(field, {OMEGA: 2.0}))
    assert main(["pulse.h5", "--output", "out"]) == 0
    ((energy, strength),) = lines_printed(capsys.readouterr().out).items()
    assert energy == pytest.approx(PEAK_EV, abs=0.02)
    assert strength == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(("electrons", "doubted"), [(1, True), (2, False)])
def test_more_strength_than_electrons(
    capsys: pytest.CaptureFixture[str], electrons: int, doubted: bool
) -> None:
    store(Path("z.h5"), 2)
    with h5py.File("z.h5", "a") as file:
        file.attrs["n_electrons"] = electrons
    assert main(["z.h5", "--output", "out"]) == 0
    note = "strengths add up to 2.0, more than the 1 electrons"
    assert (note in capsys.readouterr().err) == doubted


def test_a_pulse_tells_nothing_where_it_has_no_light() -> None:
    field = 1e-4 * np.exp(-((TIME - 60.0) ** 2) / (2.0 * 15.0**2)) * np.sin(OMEGA * TIME)
    run_of("pulse.h5", np.outer(field, [0, 0, 1]), oscillator(field, {OMEGA: 2.0}))
    assert main(["pulse.h5", "--output", "out"]) == 0
    energies = np.loadtxt("out.dat")[:, 0]
    assert 4.0 < energies.min() < OMEGA * EV < energies.max() < 18.0


@pytest.mark.parametrize(("centre", "cut_off"), [(60.0, False), (390.0, True)])
def test_a_field_that_has_not_ended(
    capsys: pytest.CaptureFixture[str], centre: float, *, cut_off: bool
) -> None:
    field = 1e-4 * np.exp(-((TIME - centre) ** 2) / (2.0 * 15.0**2)) * np.sin(OMEGA * TIME)
    run_of("pulse.h5", np.outer(field, [0, 0, 1]), oscillator(field, {OMEGA: 2.0}))
    assert main(["pulse.h5", "--output", "out"]) == 0
    assert ("the field has not ended with the run" in capsys.readouterr().err) is cut_off


def test_a_field_that_turns_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    field = 1e-4 * np.stack([np.sin(TIME), np.cos(TIME), 0 * TIME], axis=1)
    run_of("turning.h5", field, np.zeros_like(field))
    assert main(["turning.h5"]) == 2
    assert "the field turns" in capsys.readouterr().err


HEADER = """
                          NWChem Real-Time TDDFT Module
                          -----------------------------

                              A drop of water
                              ---------------

     Total no. electrons    : 10
     Time step (dt)        : 2.0000E-01 au = 4.8378E-03 fs

         Applied fields
         --------------

               "kick"
     Type            : delta
     Polarization    : {axis}
     Field maximum   : 1.0000E-04 au = 5.1421E-02 V/nm


        Excitation rules
        ----------------
     Excite geometry "m" with "kick"
"""


def test_the_kick_is_read_from_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs that print the dipole alone; three kicks in one log, each below its own header."""
    text = "".join(
        HEADER.format(axis=axis) + log_text(k, f"kick_{axis}", with_field=False)
        for k, axis in enumerate("xyz")
    )
    Path("a.out").write_text(text)
    assert main(["a.out", "--output", "out"]) == 0
    assert strongest(Path("out.dat"))[1] == pytest.approx(2 * np.pi * 2.0 * 50.0 / 137.036, rel=5e-3)


def test_the_decks_title_is_in_the_figure() -> None:
    Path("a.out").write_text(HEADER.format(axis="z") + log_text(2, "kick", with_field=False))
    assert main(["a.out", "--format", "svg", "--output", "out"]) == 0
    svg = Path("out.svg").read_text()
    assert svg.startswith("<?xml")
    assert "A drop of water" in svg


def test_pdf() -> None:
    store(Path("z.h5"), 2)
    assert main(["z.h5", "--format", "pdf", "--output", "out"]) == 0
    assert Path("out.pdf").read_bytes().startswith(b"%PDF")


def test_the_ending_of_the_output_names_the_format(capsys: pytest.CaptureFixture[str]) -> None:
    store(Path("z.h5"), 2)
    assert main(["z.h5", "--output", "out.v2.SVG"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "written: out.v2.dat out.v2.svg"
    assert Path("out.v2.svg").read_text().startswith("<?xml")
    assert main(["z.h5", "--output", "out.pdf", "--format", "svg"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "hybrid-spectrum: --output out.pdf and --format svg name two formats"
    assert not Path("out.pdf").exists()


@pytest.mark.parametrize("suffix", ["h5", "log"])
def test_parts_of_one_run_are_joined(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The second begins inside the first, as after `load restart`; together they are the whole run."""
    for name, part in (("a", slice(0, 1200)), ("b", slice(1100, None))):
        if suffix == "h5":
            with h5py.File(f"{name}.h5", "w") as file:
                file.attrs.update({"molecule": "toy", "dt": DT, "tag": "toy"})
                for key, values in (("time", TIME), ("dipole", dipole(2)), ("field", field(2))):
                    file[f"dynamics/{key}"] = values[part]
        else:
            lines = log_text(2, "kick").splitlines()[1:]
            kept = [line for line in lines if TIME[part][0] - 1e-6 <= time_of(line) <= TIME[part][-1] + 1e-6]
            Path(f"{name}.log").write_text("\n".join(kept) + "\n")
    store(Path("whole.h5"), 2)
    assert main([f"a.{suffix}", f"b.{suffix}", "--output", "parts"]) == 0
    assert main(["whole.h5", "--output", "whole"]) == 0
    np.testing.assert_allclose(np.loadtxt("parts.dat"), np.loadtxt("whole.dat"), rtol=1e-4, atol=1e-6)


def time_of(line: str) -> float:
    found = re.match(r"kick\s+(\S+)", line)
    return -1.0 if found is None else float(found[1])


def test_a_second_part_alone_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in log_text(2, "kick", with_field=False).splitlines()[1:] if time_of(line) > 9.7]
    Path("b.log").write_text(HEADER.format(axis="z") + "\n".join(lines) + "\n")
    assert main(["b.log"]) == 2
    assert "behind its kick: name the part before too" in capsys.readouterr().err


def test_what_happens_without_a_field_is_taken_off() -> None:
    field_z = np.zeros(len(TIME))
    field_z[0] = 1e-4
    moving = np.outer(1e-4 * np.sin(0.3 * TIME), [0, 0, 1])
    run_of("still.h5", np.zeros((len(TIME), 3)), moving)
    run_of("kicked.h5", np.outer(field_z, [0, 0, 1]), moving + oscillator(field_z, {OMEGA: 2.0}))
    run_of("alone.h5", np.outer(field_z, [0, 0, 1]), oscillator(field_z, {OMEGA: 2.0}))
    assert main(["kicked.h5", "--minus", "still.h5", "--output", "a"]) == 0
    assert main(["alone.h5", "--output", "b"]) == 0
    np.testing.assert_allclose(np.loadtxt("a.dat"), np.loadtxt("b.dat"), atol=1e-8)


def test_errors_are_of_all_that_moves(capsys: pytest.CaptureFixture[str]) -> None:
    """A run states its error relative to its whole motion; what is left of it may be as small as that."""
    field_z = np.zeros(len(TIME))
    field_z[0] = 1e-4
    change = oscillator(field_z, {OMEGA: 2.0})
    size = float(np.sqrt(np.square(change).sum(axis=1).mean()))
    moving = np.outer(100.0 * size * np.sqrt(2.0) * np.sin(0.3 * TIME), [1, 0, 0])
    run_of("still.h5", np.zeros((len(TIME), 3)), moving)
    run_of("kicked.h5", np.outer(field_z, [0, 0, 1]), moving + change)
    for stated, told in ((1e-5, None), (1e-3, "14 % of what is left")):
        for name in ("still", "kicked"):
            Path(f"{name}.json").write_text(json.dumps({"estimated_error": stated}))
        assert main(["kicked.h5", "--minus", "still.h5", "--output", "a"]) == 0
        out, err = capsys.readouterr()
        assert ("of what is left" in err) == (told is not None)
        assert told is None or told in err
        row = out.split("oscillator strength")[2].splitlines()[1].split()
        # The fit's own least error, and what the runs state.
        assert (float(row[1]) > 1e-3) == (told is not None)


@pytest.mark.parametrize(("shape", "in_the_wing"), [("lorentzian", 1.0 / 37.0), ("gaussian", 2.0**-36)])
def test_lines_have_the_shape_and_width_that_were_asked(shape: str, in_the_wing: float) -> None:
    """Half of the height half a width off the top; the wing is three widths off, at x = 6 half widths."""
    store(Path("z.h5"), 2)
    assert main(["z.h5", "--width", "0.8", "--shape", shape, "--output", "out"]) == 0
    energy, section = np.loadtxt("out.dat")[:, :2].T
    above = energy[section > 0.5 * section.max()]
    assert above[-1] - above[0] == pytest.approx(0.8, abs=0.03)
    wing = np.interp(OMEGA * EV - 2.4, energy, section) / section.max()
    assert wing * OMEGA * EV / (OMEGA * EV - 2.4) == pytest.approx(in_the_wing, abs=0.012)


def test_strengths_do_not_depend_on_the_shape(capsys: pytest.CaptureFixture[str]) -> None:
    store(Path("z.h5"), 2)
    found = []
    for shape in ("lorentzian", "gaussian"):
        assert main(["z.h5", "--width", "1.0", "--shape", shape, "--output", "out"]) == 0
        found += lines_printed(capsys.readouterr().out).values()
    np.testing.assert_allclose(found, 2.0, rtol=0.01)


def test_strengths_beyond_the_electrons_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    field_z = np.zeros(len(TIME))
    field_z[0] = 1e-4
    for strength, warned in ((2.5, True), (1.5, False)):
        values = oscillator(field_z, {OMEGA: strength})
        run_of("z.h5", np.outer(field_z, [0, 0, 1]), values, n_electrons=2)
        assert main(["z.h5", "--tau", "100", "--emax", "150", "--output", "out"]) == 0
        assert ("more than the 2 electrons" in capsys.readouterr().err) is warned


def test_compare(capsys: pytest.CaptureFixture[str]) -> None:
    """A line moved by 27 meV and a tenth stronger; a log beside a store."""
    field_z = np.zeros(len(TIME))
    field_z[0] = MAXIMUM
    Path("a.log").write_text(log_text(2, "kick"))
    run_of("b.h5", np.outer(field_z, [0, 0, 1]), oscillator(field_z, {OMEGA + 1e-3: 2.2}))
    assert main(["a.log", "b.h5", "--compare", "--output", "out"]) == 0
    shown = capsys.readouterr().out
    row = next(line.split() for line in shown.splitlines() if line.startswith("      10."))
    assert float(row[2]) == pytest.approx(27.2, abs=0.5)
    assert float(row[3]) == pytest.approx(10.0, abs=0.5)
    assert "nRMSE" in shown
    assert {path.name for path in Path().glob("out*")} == {"out_1.dat", "out_2.dat", "out.png"}


def test_ensemble(capsys: pytest.CaptureFixture[str]) -> None:
    """Two members: their mean, and the standard deviation of two."""
    field_z = np.zeros(len(TIME))
    field_z[0] = MAXIMUM
    for name, strength in (("a", 2.0), ("b", 3.0)):
        run_of(f"{name}.h5", np.outer(field_z, [0, 0, 1]), oscillator(field_z, {OMEGA: strength}))
    assert main(["a.h5", "b.h5", "--ensemble", "--output", "out"]) == 0
    ((_, strength),) = lines_printed(capsys.readouterr().out).items()
    assert strength == pytest.approx(2.5, rel=0.01)
    section, band = np.loadtxt("out.dat")[:, 1:3].T
    np.testing.assert_allclose(band, np.abs(section) * 0.4 / np.sqrt(2.0), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["z.h5", "--shape", "gaussian"], "needs --width"),
        (["z.h5", "--compare"], "needs two spectra"),
        (["z.h5", "--ensemble"], "two members or more"),
        (["z.h5", "--occupied", "1"], "it kept no response to tell its occupied orbitals apart"),
        (
            ["z.h5", "--occupied", "1", "--kick", "z=1"],
            "--occupied goes neither with --kick nor with --minus",
        ),
    ],
)
def test_what_has_no_use_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store(Path("z.h5"), 2)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
