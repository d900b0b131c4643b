"""Own functionals against libxc, and the relativistic exchange against its closed form."""

import re

import numpy as np
import pytest
from hybrid_propagate.atomic.solver.errors import InputError
from hybrid_propagate.atomic.solver.functionals import check_correlation, exchange_correlation
from pyscf.dft import libxc

DENSITIES = np.logspace(-6, 5, 200)


@pytest.mark.parametrize(("name", "code"), [("vwn", "LDA_C_VWN"), ("pz", "LDA_C_PZ")])
def test_unpolarised_equals_libxc(name: str, code: str) -> None:
    e_x, e_c, v = exchange_correlation(DENSITIES[None], name)
    e, (v_ref, *_), *_ = libxc.eval_xc(f"LDA_X,{code}", DENSITIES, spin=0, deriv=1)
    assert e_x + e_c == pytest.approx(e, rel=1e-12)
    assert v[0] == pytest.approx(v_ref, rel=1e-12)


@pytest.mark.parametrize(("name", "code"), [("vwn", "LDA_C_VWN"), ("pz", "LDA_C_PZ")])
def test_polarised_equals_libxc(name: str, code: str) -> None:
    zeta = np.random.default_rng(1).uniform(-0.98, 0.98, len(DENSITIES))
    up, down = DENSITIES * (1 + zeta) / 2, DENSITIES * (1 - zeta) / 2
    e_x, e_c, v = exchange_correlation(np.stack([up, down]), name)
    e, (v_ref, *_), *_ = libxc.eval_xc(f"LDA_X,{code}", (up, down), spin=1, deriv=1)
    assert e_x + e_c == pytest.approx(e, rel=1e-12)
    assert v == pytest.approx(v_ref.T, rel=1e-11)


@pytest.mark.parametrize("name", ["vwn", "pz", "lda_c_pw"])
def test_potential_is_the_derivative_of_the_energy(name: str) -> None:
    n = np.array([[0.3, 2.0, 40.0], [0.1, 1.9, 7.0]])
    step = 1e-5

    def energy(density: np.ndarray) -> np.ndarray:
        e_x, e_c, _ = exchange_correlation(density, name)
        return density.sum(axis=0) * (e_x + e_c)

    v = exchange_correlation(n, name)[2]
    for spin in (0, 1):
        change = np.zeros_like(n)
        change[spin] = step * n[spin]
        slope = (energy(n + change) - energy(n - change)) / (2 * change[spin])
        assert slope == pytest.approx(v[spin], rel=1e-8)


def test_relativistic_exchange_series_joins_the_closed_form() -> None:
    """MacDonald and Vosko's factor 1 − 3/2 [(βη − ln(β + η))/β²]² around the switch at β = 0.01."""
    c = 137.036
    beta = np.array([0.005, 0.0099999, 0.0100001, 0.3])
    n = (beta * c) ** 3 / (3 * np.pi**2)
    corrected = exchange_correlation(n[None], use_correlation=False, speed_of_light=c)
    plain = exchange_correlation(n[None], use_correlation=False)
    eta = np.sqrt(1 + beta**2)
    factor = 1 - 1.5 * ((beta * eta - np.log(beta + eta)) / beta**2) ** 2
    potential = 1.5 * np.log(beta + eta) / (beta * eta) - 0.5
    assert corrected[0] / plain[0] == pytest.approx(factor, abs=1e-10)
    assert corrected[2][0] / plain[2][0] == pytest.approx(potential, abs=1e-10)


def test_vacuum_has_no_energy() -> None:
    e_x, e_c, v = exchange_correlation(np.zeros((2, 3)))
    assert not e_x.any()
    assert not e_c.any()
    assert not v.any()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lda_x", "lda_x is exchange, which is always there; --no-correlation leaves it alone"),
        ("Slater", "Slater is exchange"),
        ("lda_c_nonsense", "unknown LDA correlation 'lda_c_nonsense'"),
        *(
            (name, f"{name!r} is no LDA correlation")
            for name in (
                *(
                    "gga_c_pbe",
                    "nonsense",
                    "lda_xc_teter93",
                    "lda_xc_ksdt",
                    "lda_k_tf",
                    "lda_x_erf",
                    "hf",
                    "",
                    "1",
                ),
                *("lda_x_erf", "lda_c_1d_csc", "lda_c_2d_prm", "lda_c_epc17", "0.5*lda_c_pw"),
            )
        ),
    ],
)
def test_other_than_correlation_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=re.escape(reason)):
        check_correlation(name)


def test_correlations_of_libxc_are_accepted() -> None:
    for name in ("lda_c_pw", "LDA_C_VWN_RPA", "lda_c_chachiyo"):
        check_correlation(name)
