"""`hybrid-spectrum` as a user runs it: on logs and stores, and on what cannot be used."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.adapters.log.lines import message_line, vector_line
from hybrid_propagate.driver.commands.spectrum import main

DT, MAXIMUM, OMEGA = 0.2, 1e-4, 0.4
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
    before = set(os.listdir())
    for arguments, message in (
        (["missing.h5"], "missing.h5: No such file"),
        (["."], ".: a folder, not a file"),
        (["text"], "text: no RT-TDDFT lines"),
        (["no_field.log"], "give the kick with --kick"),
        (["x.log", "--tag", "kick"], "no tag 'kick'; there are: t"),
        (["x.log", "--geometry", "h2"], "0 series fit 'Dipole moment'"),
        (["x.log", "x.log"], "a second run kicked along x"),
        (["two.log"], "several geometries (left, whole)"),
        (["broken.h5"], "broken.h5: no trajectory"),
        (["other.h5"], "other.h5: no trajectory"),
        (["uneven.h5"], "different lengths"),
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
    "arguments", [["--tau", "0", "f"], ["--kick", "q=1", "f"], ["--kick", "x=", "f"], []]
)
def test_bad_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_is_instant() -> None:
    """No numerical library is imported for it."""
    command = """if True:
        import sys
        from hybrid_propagate.driver.commands.spectrum import main
        try:
            main(["--help"])
        except SystemExit:
            print(sorted({"numpy", "h5py", "scipy", "matplotlib", "pyscf"} & set(sys.modules)))
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor: how busy the machine is does not count.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    assert "--pade" in shown
    assert shown.rstrip().endswith("[]")
