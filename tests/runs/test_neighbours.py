"""NWChem's parser `nw_rtparse` finds in our logs what it finds in NWChem's."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hybrid_propagate.driver.commands.propagate import main
from rtparse import parse_like_nw_rtparse
from small_decks import WATER, kicked

PRINT = "  print dipole field energy charge s2 convergence cputime"
FRAGMENT = f'geometry "part" units angstroms nocenter noautosym noautoz\n{WATER.splitlines()[0]}\nend\n'
CLOSED = [
    ("dipole", "closedshell"),
    ("charge", "closedshell"),
    ("efield", "alpha"),
    ("energy", "closedshell"),
]
OPEN = [(what, spin) for what in ("dipole", "charge") for spin in ("alpha", "beta", "total")]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ({"head": FRAGMENT}, CLOSED),
        (
            {"head": f"charge 1\n{FRAGMENT}", "dft": "  mult 2"},
            [
                *OPEN,
                ("efield", "alpha"),
                ("efield", "beta"),
                ("energy", "closedshell"),
                ("S2", "closedshell"),
            ],
        ),
    ],
    ids=["closed shell", "open shell"],
)
def test_a_log_of_ours(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: dict[str, str],
    asked: list[tuple[str, str]],
) -> None:
    """Every point once, header, ground state and lines of the same words beside; dipoles are the file's."""
    monkeypatch.chdir(tmp_path)
    Path("deck.nw").write_text(kicked(tmax=2.4, steps=PRINT, **words))
    assert main(["deck.nw"]) == 0
    log = capsys.readouterr().out
    with h5py.File("water.h5") as file:
        time, dipole = file["dynamics/time"][:], file["dynamics/dipole"][:]
    for what, spin in asked:
        for geometry in ("molecule", "part") if what in ("dipole", "charge") else ("molecule",):
            found = parse_like_nw_rtparse(log, "<rt_tddft>", what, spin, geometry)
            np.testing.assert_allclose(found[:, 0], time, rtol=0, atol=1e-5, err_msg=f"{what} {geometry}")
    whole = "closedshell" if asked is CLOSED else "total"
    found = parse_like_nw_rtparse(log, "<rt_tddft>", "dipole", whole, "molecule")
    np.testing.assert_allclose(found[:, 1:], dipole, rtol=0, atol=1e-11)
