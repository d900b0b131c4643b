"""Energies and potentials by formula against libxc, and what has no formula."""

from itertools import pairwise

import numpy as np
import pytest
from hybrid_propagate.adapters.deck.xc import Attenuation, functional
from hybrid_propagate.adapters.pyscf.quadrature import energy_and_potential
from hybrid_propagate.surrogate.rollout.expressions import evaluate, of_name
from hybrid_propagate.surrogate.rollout.functionals import Formula, NoFormula, formula, potential_at

CAM = Attenuation(0.33, 0.19, 0.46)
WORDS = {
    "svwn": "slater vwn_5",
    "slater rpa": "slater vwn_1_rpa",
    "slater pw": "slater pw91lda",
    "pbe": "pbe96",
    "pbe0": "pbe0",
    "b3lyp": "b3lyp",
    "blyp": "becke88 lyp",
    "bhlyp": "bhlyp",
    "cam-b3lyp": "xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00",
}


def described(name: str) -> str:
    """PySCF's description of a deck's functional."""
    return functional(tuple(WORDS[name].split()), CAM if name.startswith("cam") else None).pyscf


def made(name: str, *, open_shell: bool) -> Formula:
    found = formula(described(name), name, open_shell=open_shell)
    assert found is not None
    return found


def densities(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Both spins' ρ, from 1e-5 to 300, and ∇ρ of reduced gradients up to 5: (2, n), (2, 3, n)."""
    draw = np.random.default_rng(5)
    total, share = np.exp(draw.uniform(np.log(1e-5), np.log(300.0), n)), draw.uniform(0.02, 0.98, n)
    rho = np.array([share * total, (1.0 - share) * total])
    size = draw.uniform(0.0, 5.0, (2, n)) * 2.0 * (3.0 * np.pi**2) ** (1.0 / 3.0) * rho ** (4.0 / 3.0)
    along = draw.standard_normal((2, 3, n))
    return rho, along / np.linalg.norm(along, axis=1)[:, None] * size[:, None]


@pytest.mark.parametrize("open_shell", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("name", WORDS)
def test_energy_and_potential_as_by_libxc(name: str, *, open_shell: bool) -> None:
    rho, slope = densities(3000)
    if not open_shell:
        rho, slope = rho.sum(axis=0)[None], slope.sum(axis=0)[None]
    ours = made(name, open_shell=open_shell)
    variables = np.concatenate([rho[:, None], slope], axis=1)[:, : ours.n_components]
    wanted_energy, wanted = energy_and_potential(described(name), variables)
    assert wanted.shape == variables.shape
    given = dict(zip(np.ravel(ours.inputs).tolist(), variables.reshape(-1, 3000), strict=True))
    assert evaluate([ours.energy], given)[0] == pytest.approx(wanted_energy, rel=1e-10)
    # What a change of the density, or of its slope, by its own size does to the energy, over the energy.
    sizes = np.concatenate([rho[:, None], *[np.linalg.norm(slope, axis=1)[:, None]] * 3], axis=1)
    off = (potential_at(ours, variables) - wanted) * sizes[:, : ours.n_components] / wanted_energy
    assert np.abs(off).max() < 1e-9


@pytest.mark.parametrize("open_shell", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("name", WORDS)
def test_where_there_is_next_to_no_density_nothing_blows_up(name: str, *, open_shell: bool) -> None:
    ours = made(name, open_shell=open_shell)
    rho, slope = np.array([0.0, -1e-14, 1e-12, 1e-9, 1e-2]), np.array([0.0, 1e-6, 1e-10, 1e-20, 0.0])
    one = np.array([rho, slope, slope, slope])[: ours.n_components]
    both = np.array([one, one[:, ::-1]]) if open_shell else one[None]
    assert np.isfinite(potential_at(ours, both)).all()
    assert np.abs(potential_at(ours, both)).max() < 1e6


def test_exact_exchange_alone_has_no_potential() -> None:
    assert formula("HF", "hfexch", open_shell=True) is None


@pytest.mark.parametrize("words", ["xctpssh", "revpbe cpbe96", "m06", "wb97x"])
def test_a_functional_without_formula_is_refused_with_the_list(words: str) -> None:
    given = functional(tuple(words.split()))
    with pytest.raises(NoFormula, match=rf"xc {words} is not written .*; accepted: hfexch, slater.*b3lyp"):
        formula(given.pyscf, given.directive, open_shell=False)


def test_a_product_is_written_the_same_way_in_every_process() -> None:
    """By when its factors were made; addresses in memory differ from run to run, and rounding with them."""
    junk = [object() for _ in range(2000)]
    factors = []
    for k in range(40):
        factors.append(of_name(f"factor_{k}"))
        # What is freed in between is taken again: addresses do not ascend.
        del junk[-40:]
    for a, b in pairwise(factors):
        assert (b * a).arguments == (a, b)
        assert (b + a).arguments == (a, b)
