"""The total energy and its parts, and what one iteration reports."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class AtomEnergies:
    """Total energy and its parts, Hartree.

    eigenvalue_sum: Σ fε. xc_potential: Σ_σ ∫ n_σ v_σ. nuclear: ∫ n (−Z/r).
    """

    total: float
    kinetic: float
    nuclear: float
    hartree: float
    exchange: float
    correlation: float
    eigenvalue_sum: float
    xc_potential: float

    @property
    def exchange_correlation(self) -> float:
        """E_x + E_c."""
        return self.exchange + self.correlation

    def as_dict(self) -> dict[str, float]:
        """All of them by name, for JSON."""
        parts = asdict(self)
        total = parts.pop("total")
        return {"total_energy": total, **parts, "exchange_correlation": self.exchange_correlation}


@dataclass(frozen=True)
class Iteration:
    """What one turn of the cycle reached, for progress displays."""

    number: int
    energy: float
    energy_change: float
    eigenvalue_change: float
    residual: float
