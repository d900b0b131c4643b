"""NWChem's molecular-orbital absorbing potential (Lopata & Govind, J. Chem. Theory Comput. 9, 4939 (2013)).

F' → F' - i Γ,   Γ = Σ_k γ(ε_k) |k⟩⟨k|,
γ = prefac [exp(expconst (ε - emin)) - 1] for ε > emin, at most maxval
"""

import numpy as np

from ...adapters.system import MOCap


def absorbing_potential(fock: np.ndarray, cap: MOCap) -> np.ndarray:
    """Γ (n_spin, m, m), Hermitian and not negative, on the eigenstates of a Hermitian F' of that shape."""
    energies, states = np.linalg.eigh(fock)
    # The exponent is cut where maxval is long reached, before it overflows.
    exponent = np.clip(cap.expconst * (energies - cap.emin), 0.0, 700.0)
    damping = np.clip(cap.prefac * np.expm1(exponent), 0.0, cap.maxval)
    return (states * damping[:, None, :]) @ states.conj().swapaxes(1, 2)
