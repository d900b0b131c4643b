"""Predictors that need nothing but the deck, by name."""

from ...surrogate.starting_density.neural import NeuralDensity
from ...surrogate.starting_density.predictor import DensityPredictor
from ...surrogate.starting_density.pyscf_guess import PySCFStart
from ...surrogate.starting_density.superposed_atoms import SuperposedAtoms

#: All of them; the standard guess first.
NAMED: dict[str, DensityPredictor] = {
    "minao": PySCFStart("minao"),
    "atom": PySCFStart("atom"),
    "huckel": PySCFStart("huckel"),
    "sap": PySCFStart("sap"),
    "atomic-density": SuperposedAtoms("density"),
    "atomic-potential": SuperposedAtoms("potential"),
    "neural": NeuralDensity(),
}


def own_predictors(guess: str) -> list[DensityPredictor]:
    """The predictor of that name; for `auto` the trained one: no sum of atoms is reliably better."""
    return [NAMED["neural" if guess == "auto" else guess]]
