"""r in packed coordinates against r of matrices."""

from dataclasses import replace

import numpy as np
import pytest
from hybrid_propagate.adapters.pyscf.point_symmetry import symmetry_orbitals
from hybrid_propagate.adapters.working_basis import make_working_basis
from hybrid_propagate.surrogate.matrices.packing import make_packing, pack
from hybrid_propagate.surrogate.nonlinear import point_rows as own
from hybrid_propagate.surrogate.nonlinear.nonlinear_response import rotations
from hybrid_propagate.surrogate.nonlinear.point_rows import PointRows, point_rows
from point_sources import ground_of, learned, source


@pytest.mark.parametrize("xc", ["PBE0", "TPSS"])
def test_it_is_that_of_the_matrices(xc: str) -> None:
    given, response = source(xc), learned(xc)
    packed = make_packing(given.basis.irreps)
    rows = point_rows(response, packed)
    assert isinstance(rows, PointRows)
    for change in rotations(given.ground, 4, np.random.default_rng(3)):
        expected = pack(packed, response(change).astype(complex))[0]
        found = rows(pack(packed, change)[0])
        assert np.linalg.norm(found - expected) < 1e-5 * np.linalg.norm(expected)
    assert not rows(np.zeros(packed.n_real)).any()


def test_of_a_totally_symmetric_change_it_is_totally_symmetric() -> None:
    """Water's irreps are four; the points have none of them."""
    engine, _, density = ground_of("PBE0")
    fock = np.real(engine.fock(density.astype(complex)).fock)
    basis = make_working_basis(engine.integrals, fock, symmetry_orbitals(engine.mol))
    packed, ground = make_packing(basis.irreps), basis.density_in(density).astype(complex)
    rows = point_rows(replace(learned("PBE0"), basis=basis), packed)
    assert isinstance(rows, PointRows)
    first = packed.real_blocks[0]
    assert 0 < rows.symmetric == first.stop < packed.n_real
    x = pack(packed, rotations(ground, 1, np.random.default_rng(5))[0])[0]
    x[first.stop :] = 0.0
    found, every = rows(x), replace(rows, symmetric=packed.n_real)(x)
    assert np.linalg.norm(found[first] - every[first]) < 1e-5 * np.linalg.norm(every)
    assert not found[first.stop :].any()
    x[-1] = 1e-3 * np.abs(x).max()
    assert rows(x)[first.stop :].any()


def test_where_it_takes_too_much_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert point_rows(learned("LDA", True), make_packing(source("LDA", True).basis.irreps)) is False
    monkeypatch.setattr(own, "MOST_BYTES", 1e3)
    assert point_rows(learned("PBE0"), make_packing(source("PBE0").basis.irreps)) is False
