"""`solve_atom` against the NIST tables and the command."""

import json

import hybrid_propagate as hp
import pytest
from hybrid_propagate.atomic.commands.main import main


def test_iron_is_nist_s() -> None:
    """NIST LDA and scalar-relativistic LDA, total energies of Fe (physics.nist.gov/PhysRefData/DFTdata)."""
    assert hp.solve_atom("Fe").energies.total == pytest.approx(-1261.093056, abs=1e-6)
    assert hp.solve_atom(26).energies.total == hp.solve_atom("fe").energies.total


@pytest.mark.parametrize(
    ("keywords", "arguments"),
    [
        ({"charge": 1, "spin": True}, ["--charge", "1", "--spin"]),
        ({"configuration": "[He] 2s2 2p3", "spin": True}, ["--configuration", "[He] 2s2 2p3", "--spin"]),
        ({"relativity": "dirac"}, ["--relativity", "dirac"]),
        ({"xc": "pz", "relativity": "scalar"}, ["--xc", "pz", "--relativity", "scalar"]),
    ],
)
def test_options_are_the_command_s(
    keywords: dict[str, object], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    atom = hp.solve_atom("N", **keywords)
    assert main(["solve", "N", *arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert atom.energies.total == printed["total_energy"]
    assert atom.iterations == printed["iterations"]


def test_what_it_shows_and_refuses() -> None:
    atom = hp.solve_atom("H")
    assert repr(atom) == f"<Solution H: {atom.energies.total:.6f} Ha, 1 orbitals>"
    for arguments, message in ((("Xx",), "Xx"), (("H", 1), "has no electrons"), (("N", 0, "2z9"), "2z9")):
        with pytest.raises(hp.BadInput, match=message):
            hp.solve_atom(*arguments)
