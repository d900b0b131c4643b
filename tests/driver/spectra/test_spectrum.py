"""Spectra of oscillators that are solved on paper, and of a molecule against linear response."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.atomic.units import EV_PER_HARTREE, SPEED_OF_LIGHT
from hybrid_propagate.driver.spectra.signals import read_signals
from hybrid_propagate.driver.spectra.spectrum import (
    Kick,
    Pulse,
    Signal,
    SpectrumError,
    absorption,
    delta_kick,
    field_goes_on,
    fourier_sum,
    peaks,
    polarisability,
)

# Oscillator strengths by frequency (au).
LINES = {0.3: 0.5, 0.41: 1.2, 0.9: 2.0}


def oscillators(time: np.ndarray, kick: Kick) -> np.ndarray:
    """Δμ(t) of undamped oscillators driven by a constant field E from `start` to `stop`.

    E Σ f (cos ω(t - stop) - cos ω(t - start)) / ω²; while the field acts, its end is now.
    """
    field = kick.impulse / (kick.stop - kick.start)
    since = np.maximum(time - kick.start, 0.0)
    until = np.maximum(time - kick.stop, 0.0)
    return field * sum(f / w**2 * (np.cos(w * until) - np.cos(w * since)) for w, f in LINES.items())


def signal_of(kick: Kick, dt: float, end: float) -> Signal:
    """A run along the kick's direction on top of a static dipole."""
    time = dt * np.arange(round(end / dt) + 1)
    static = np.array([0.1, -0.2, 0.7])
    return Signal("oscillators", time, static + np.outer(oscillators(time, kick), kick.direction), kick)


def exact(omega: np.ndarray, tau: float) -> np.ndarray:
    """α(z) = Σ f / (ω₀² - z²) at z = ω + i/τ."""
    z = omega + 1j / tau
    return sum((f / (w**2 - z**2) for w, f in LINES.items()), np.zeros(len(omega), complex))


Z = np.array([0.0, 0.0, 1.0])
FIRST_STEP = Kick(Z, 1e-5, 0.0, 0.1)


@pytest.mark.parametrize(
    "kick",
    [
        FIRST_STEP,
        Kick(Z, 1e-5, 4.9, 5.1),
        Kick(np.array([0.6, 0.0, -0.8]), -2e-3, 0.0, 0.1),
    ],
    ids=["first step", "later, over two steps", "any direction and sign"],
)
def test_polarisability_is_exact(kick: Kick) -> None:
    """Once the damping has died away only the quadrature in time is left, of second order in its step."""
    omega = np.linspace(0.0, 1.2, 500)
    errors = []
    for refinement in (1, 2):
        signal = signal_of(kick, 0.1 / refinement, 1000.0)
        found = polarisability(signal, omega, 50.0)
        errors.append(np.abs(found - exact(omega, 50.0)).max() / np.abs(exact(omega, 50.0)).max())
    assert errors[0] < 3e-4
    assert errors[1] < errors[0] / 3.5


def test_peaks_of_damped_lines() -> None:
    """Position √(ω₀² + 1/τ²) within a hundredth of the grid, height and strength of each line."""
    tau = 400.0
    spectrum = absorption([signal_of(Kick(Z, 1e-5, 0.0, 0.02), 0.02, 6000.0)], tau, 30.0)
    found = peaks(spectrum)
    assert len(found) == 3
    for peak, (w, f) in zip(found, LINES.items(), strict=True):
        assert peak.energy == pytest.approx(math.hypot(w, 1.0 / tau) * EV_PER_HARTREE, abs=1e-4)
        assert peak.strength == pytest.approx(f, rel=2e-3)
        assert peak.cross_section == pytest.approx(2 * math.pi * f * tau / SPEED_OF_LIGHT, rel=2e-3)


def test_sum_rule() -> None:
    """∫ S dω = (2π²/c) Σ f (Thomas, Reiche, Kuhn); what is cut off beyond 300 eV falls as 1/ω."""
    spectrum = absorption([signal_of(Kick(Z, 1e-5, 0.0, 0.05), 0.05, 1000.0)], 100.0, 300.0)
    area = np.trapezoid(spectrum.cross_section, spectrum.energy) / EV_PER_HARTREE
    cut = (4 * math.pi / SPEED_OF_LIGHT) * sum(LINES.values()) * 2 / (100.0 * 300.0 / EV_PER_HARTREE)
    expected = 2 * math.pi**2 / SPEED_OF_LIGHT * sum(LINES.values())
    assert area + cut == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("n_points", [999, 1000, 1001, 1024])
def test_the_axis_does_not_depend_on_the_length(n_points: int) -> None:
    """A line stays where it is when a point is added: no stretched frequency axis."""
    signal = signal_of(FIRST_STEP, 0.1, 600.0)
    cut = Signal(
        "cut", signal.time[-n_points:] - signal.time[-n_points], signal.dipole[-n_points:], FIRST_STEP
    )
    moving = Signal("moving", cut.time, cut.dipole - cut.dipole.mean(axis=0), FIRST_STEP)
    angle = 1e-4
    series = fourier_sum(np.sin(0.41 * moving.time) * np.hanning(n_points), angle, 800)
    assert np.abs(series).argmax() * angle == pytest.approx(0.41 * 0.1, abs=1.5 * angle)


def test_fourier_sum_is_the_sum() -> None:
    """Against the definition."""
    samples = np.random.default_rng(0).normal(size=37)
    direct = np.exp(1j * 0.013 * np.outer(np.arange(90), np.arange(37))) @ samples
    np.testing.assert_allclose(fourier_sum(samples, 0.013, 90), direct, rtol=0, atol=1e-12)


def test_pade_resolves_what_the_time_does_not() -> None:
    """150 au are too short for the width that τ = 1000 au asks; from the same samples Padé has the lines."""
    signal = signal_of(FIRST_STEP, 0.2, 150.0)
    found = peaks(absorption([signal], 1000.0, 30.0, pade=True))
    assert [peak.energy for peak in found] == pytest.approx([w * EV_PER_HARTREE for w in LINES], abs=1e-3)
    assert [peak.strength for peak in found] == pytest.approx(list(LINES.values()), rel=2e-2)
    padded = peaks(absorption([signal], 1000.0, 30.0))
    assert min(peak.strength / f for peak, f in zip(padded, LINES.values(), strict=False)) < 0.5


def test_missing_points_are_interpolated() -> None:
    """`nprints` leaves out points, unevenly at the start."""
    signal = signal_of(FIRST_STEP, 0.1, 800.0)
    kept = np.concatenate([[0], np.arange(3, len(signal.time), 4)])
    sparse = Signal("sparse", signal.time[kept], signal.dipole[kept], FIRST_STEP)
    omega = np.linspace(0.0, 1.2, 300)
    full, found = (polarisability(s, omega, 50.0) for s in (signal, sparse))
    assert np.abs(found - full).max() < 5e-3 * np.abs(full).max()


def test_three_kicks_are_averaged() -> None:
    """S = (4πω/3c) Im Tr α; one kick gives its own direction."""
    signals = [
        signal_of(Kick(axis, k * 1e-5, 0.0, 0.1), 0.1, 500.0) for k, axis in enumerate(np.eye(3), start=1)
    ]
    weights = np.array([1.0, 2.0, 3.0])
    scaled = [Signal(s.name, s.time, w * s.dipole, s.kick) for w, s in zip(weights, signals, strict=True)]
    average = absorption(scaled, 50.0, 30.0)
    single = absorption(signals[:1], 50.0, 30.0)
    assert list(average.polarisability) == ["x", "y", "z"]
    np.testing.assert_allclose(average.cross_section, 2.0 * single.cross_section, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("at", "magnus", "expected"),
    [
        (0, True, (0.01 * 0.2 / 2, 0.0, 0.2)),
        (5, True, (0.01 * 0.2, 0.8, 1.2)),
        (0, False, (0.01 * 0.2, 0.0, 0.2)),
    ],
)
def test_impulse_of_a_delta_kick(at: int, magnus: bool, expected: tuple[float, float, float]) -> None:
    """max dt / 2 at the first point, max dt later, and where the field at a step's start counts."""
    field = np.zeros((10, 3))
    field[at] = [0.0, -0.006, 0.008]
    kick = delta_kick(field, 0.2 * np.arange(10), 0.2, magnus=magnus)
    assert kick is not None
    assert (kick.impulse, kick.start, kick.stop) == pytest.approx(expected)
    np.testing.assert_allclose(kick.direction, [0.0, -0.6, 0.8])


def test_signals_that_make_no_spectrum() -> None:
    """Each is refused in one line."""
    good = signal_of(FIRST_STEP, 0.1, 50.0)
    broken = Signal("broken", good.time, np.where(good.time[:, None] > 20.0, np.nan, good.dipole), FIRST_STEP)
    short = Signal("short", good.time[:3], good.dipole[:3], FIRST_STEP)
    for signals, message in (
        ([], "no kicked run"),
        ([good, good], "a second run kicked along z"),
        ([broken], "not finite at 300 points"),
        ([short], "3 points in time"),
    ):
        with pytest.raises(SpectrumError, match=message):
            absorption(signals, 50.0, 40.0)
    with pytest.raises(SpectrumError, match="acts at 10 points"):
        delta_kick(np.ones((10, 3)), 0.2 * np.arange(10), 0.2)
    assert delta_kick(np.zeros((10, 3)), 0.2 * np.arange(10), 0.2) is None


HYDROGEN = """start deck
geometry "h2" units bohr nocenter noautosym noautoz
  H 0 0 -0.7
  H 0 0  0.7
end
set geometry "h2"
basis
  * library 6-31G**
end
dft
  xc hfexch
  tolerances accCoul 11
  convergence density 1e-8
end
task dft energy
rt_tddft
  tmax 60.0
  dt 0.1
  nchecks 0
  tolerances interpol 1d-9
  field "k"
    type delta
    polarization z
    max 0.001
  end
  excite "h2" with "k"
  print dipole field
end
task dft rt_tddft
"""


def test_hydrogen_against_linear_response(nwchem: Callable[[str], Path]) -> None:
    """A kick in real NWChem, 60 au of it: lines at PySCF's TDHF roots along z, strengths to 1 %.

    What parts the energies is the second-order step, whose shift is of the size ω³dt²/8.
    """
    from pyscf import gto, scf, tdscf

    signals = read_signals(nwchem(HYDROGEN))
    found = peaks(absorption(signals, 500.0, 60.0, pade=True))

    mol = gto.M(atom="H 0 0 -0.7; H 0 0 0.7", unit="Bohr", basis="6-31g**", cart=True, verbose=0)
    response = tdscf.TDHF(scf.RHF(mol).run(conv_tol=1e-12))
    response.nstates = 8
    response.kernel()
    along = 2.0 * response.e * response.transition_dipole()[:, 2] ** 2
    bright = (along > 0.02) & (response.e * EV_PER_HARTREE < 60.0)
    roots = response.e[bright]
    assert len(roots) == len(found) == 2
    for peak, root, strength in zip(found, roots, along[bright], strict=True):
        assert peak.energy == pytest.approx(root * EV_PER_HARTREE, abs=root**3 * 0.1**2 / 8 * EV_PER_HARTREE)
        assert peak.strength == pytest.approx(strength, rel=0.01)


@pytest.mark.parametrize(("centre", "goes_on"), [(50.0, False), (90.0, True)])
def test_a_pulse_that_the_run_cuts_off_is_seen(centre: float, goes_on: bool) -> None:
    time = np.arange(0.0, 100.0, 0.2)
    size = np.exp(-((time - centre) ** 2) / 50.0) * np.cos(0.4 * time)
    signal = Signal("run", time, np.zeros((len(time), 3)), Pulse(np.eye(3)[2], size))
    assert field_goes_on(signal) is goes_on
