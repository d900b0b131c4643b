"""Files of response pairs: they come back, and others are refused."""

from pathlib import Path

import numpy as np
import pytest
from hybrid_propagate.adapters.files.basis_table import basis_table
from hybrid_propagate.surrogate.samples.pairs_file import (
    Geometries,
    Pairs,
    PairsError,
    ResponsePairs,
    read_pairs,
    write_pairs,
)
from pyscf import gto


def content() -> ResponsePairs:
    mol = gto.M(atom="H 0 0 0; H 0 0 0.7", basis="sto-3g", verbose=0)
    rng = np.random.default_rng(4)
    pairs = rng.standard_normal((3, 5, 1, 2, 2)) + 1j * rng.standard_normal((3, 5, 1, 2, 2))
    matrices = rng.standard_normal((2, 1, 2, 2))
    return ResponsePairs(
        {"molecule": "H2"},
        np.array([1, 1]),
        basis_table(mol),
        Geometries(
            rng.standard_normal((2, 2, 3)),
            matrices[:, 0],
            rng.standard_normal((2, 3, 2, 2)),
            matrices,
            matrices,
            rng.standard_normal((2, 3)),
            np.array([0, 2], np.int8),
        ),
        Pairs(np.array([0, 0, 1, 1, 1]), np.zeros(5, np.int8), *pairs),
    )


def test_files_come_back(tmp_path: Path) -> None:
    stored = content()
    write_pairs(tmp_path / "pairs.h5", stored)
    again = read_pairs(tmp_path / "pairs.h5")
    assert again.attributes["molecule"] == "H2"
    np.testing.assert_array_equal(again.basis.exponents, stored.basis.exponents)
    np.testing.assert_array_equal(again.geometries.dipole, stored.geometries.dipole)
    np.testing.assert_array_equal(again.pairs.geometry, stored.pairs.geometry)
    np.testing.assert_allclose(again.pairs.fock, stored.pairs.fock, rtol=1e-6)
    np.testing.assert_allclose(again.pairs.kernel, stored.pairs.kernel, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.h5"]


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.h5"
    path.write_text("no HDF5")
    with pytest.raises(PairsError, match=r"pairs\.h5: not a file of response pairs"):
        read_pairs(path)
