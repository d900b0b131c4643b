"""Configurations worth comparing for one element: ground, ions, excitations, low spins, half-filled shells.

Candidates of each kind come in the order of filling (a promotion into a lower shell first); kinds take turns
until `count` different configurations are found, so any count holds a mixture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from ..solver.configuration import Configuration, Shell, configuration_of, ground_configuration
from ..solver.elements import SYMBOLS, madelung_order

Shells = dict[tuple[int, int], float]

_ORDER = madelung_order()


@dataclass(frozen=True)
class StudyCase:
    """One configuration of one element. kind:
    ground, ion, single, double, low-spin, half-filled or fractional.
    """

    z: int
    kind: str
    configuration: Configuration

    @property
    def charge(self) -> float:
        """Z − N."""
        return self.z - self.configuration.electrons

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "z": self.z,
            "symbol": SYMBOLS[self.z - 1],
            "charge": self.charge,
            "kind": self.kind,
            "configuration": " ".join(map(str, self.configuration.shells)),
            **order_parameters(self.configuration),
        }


def order_parameters(configuration: Configuration) -> dict[str, float]:
    """The state variables: n_eff = Σ f n/N, l_eff = Σ f l/N, spin = (N↑ − N↓)/2."""
    electrons = configuration.electrons
    return {
        "n_eff": sum(s.occupation * s.n for s in configuration.shells) / electrons,
        "l_eff": sum(s.occupation * s.l for s in configuration.shells) / electrons,
        "spin": configuration.moment / 2,
    }


def generate(z: int, count: int) -> list[StudyCase]:
    """Up to `count` different configurations of element z, the ground configuration first."""
    ground = {(s.n, s.l): s.occupation for s in ground_configuration(z).shells}
    kinds = {
        "ground": iter([ground_configuration(z)]),
        "ion": _ions(ground),
        "single": _excitations(ground, 1),
        "low-spin": _low_spins(ground),
        "half-filled": _half_filled(ground),
        "double": _excitations(ground, 2),
        "fractional": _fractional(ground),
    }
    seen: dict[tuple[object, ...], StudyCase] = {}
    while kinds and len(seen) < count:
        for kind in list(kinds):
            found = next((c for c in kinds[kind] if _identity(c) not in seen), None)
            if found is None:
                del kinds[kind]
            elif len(seen) < count:
                seen[_identity(found)] = StudyCase(z, kind, found)
    return list(seen.values())


def _identity(configuration: Configuration) -> tuple[object, ...]:
    """Equal for configurations that differ by turning every spin over, which have one energy."""
    up = tuple((s.n, s.l, *s.spin_occupations) for s in configuration.shells)
    down = tuple((n, angular, b, a) for n, angular, a, b in up)
    return max(up, down)


def _sources(shells: Shells) -> list[tuple[int, int]]:
    """The five outermost occupied shells, the last filled first."""
    return [s for s in reversed(_ORDER) if shells.get(s, 0) > 0][:5]


def _targets(shells: Shells) -> list[tuple[int, int]]:
    """Shells with room: those already occupied and the next twelve, in order of filling."""
    room = [s for s in _ORDER if shells.get(s, 0) < _capacity(s)]
    open_shells = [s for s in room if shells.get(s, 0) > 0]
    return open_shells + [s for s in room if s not in open_shells][:12]


def _capacity(shell: tuple[int, int]) -> int:
    return 2 * (2 * shell[1] + 1)


def _moved(
    shells: Shells, source: tuple[int, int], target: tuple[int, int] | None, amount: float
) -> Shells | None:
    """The shells after moving electrons (to nowhere:
    ionisation), None when there are not enough or no room.
    """
    if source == target or shells.get(source, 0) < amount:
        return None
    after = dict(shells)
    after[source] -= amount
    if target is not None:
        after[target] = after.get(target, 0.0) + amount
        if after[target] > _capacity(target):
            return None
    return after


def _excitations(ground: Shells, electrons: int) -> Iterator[Configuration]:
    moves = [(s, t) for s in _sources(ground) for t in _targets(ground)]
    moves.sort(key=lambda m: abs(_ORDER.index(m[1]) - _ORDER.index(m[0])))
    for chosen in combinations_with_replacement(moves, electrons):
        after: Shells | None = ground
        for source, target in chosen:
            after = after and _moved(after, source, target, 1.0)
        if after:
            yield configuration_of(after)


def _ions(ground: Shells) -> Iterator[Configuration]:
    for removed in (1, 2, 3):
        for chosen in combinations_with_replacement(_sources(ground)[:3], removed):
            after: Shells | None = ground
            for source in chosen:
                after = after and _moved(after, source, None, 1.0)
            if after and sum(after.values()) > 0:
                yield configuration_of(after)


def _low_spins(ground: Shells) -> Iterator[Configuration]:
    """Each open shell's moment lowered by two, or turned against the others."""
    for configuration in [configuration_of(ground), *_excitations(ground, 1)]:
        shells = configuration.shells
        for i, shell in enumerate(shells):
            others = any(s.hund_moment > 0 for s in shells if s is not shell)
            lower = shell.hund_moment - 2
            if (lower >= 0) or (lower > -shell.hund_moment - 1e-9 and others):
                changed: list[Shell] = [*shells[:i], replace(shell, moment=lower), *shells[i + 1 :]]
                yield configuration_of(changed)


def _half_filled(ground: Shells) -> Iterator[Configuration]:
    """One shell half filled by electrons from, or for, another one."""
    for shell in _targets(ground) + _sources(ground):
        for partner in _sources(ground) + _targets(ground):
            missing = _capacity(shell) / 2 - ground.get(shell, 0.0)
            after = (
                _moved(ground, partner, shell, missing)
                if missing > 0
                else _moved(ground, shell, partner, -missing)
            )
            if missing and after:
                yield configuration_of(after)


def _fractional(ground: Shells) -> Iterator[Configuration]:
    """Slater's transition states and other fractions of an electron removed or promoted."""
    for amount in (0.5, 0.25, 0.75, 0.1, 0.9, 0.4, 0.6):
        for source in _sources(ground):
            for target in [None, *_targets(ground)]:
                after = _moved(ground, source, target, amount)
                if after and sum(after.values()) > 0:
                    yield configuration_of(after)
