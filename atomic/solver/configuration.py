"""Electron configurations: shells n l with occupations, and the spin they carry."""
# ruff: noqa: E741 (l is the angular momentum)

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from .elements import (
    CATION_EXCEPTIONS,
    LAST_NAMED,
    LETTERS,
    NEUTRAL_EXCEPTIONS,
    NOBLE_GASES,
    SYMBOLS,
    atomic_number,
    madelung_order,
)
from .errors import InputError


@dataclass(frozen=True, order=True)
class Shell:
    """One shell.

    occupation: electrons, 0 to 2(2l+1), fractions allowed.
    moment: N↑ − N↓ of the shell; None means Hund's rule, as many parallel spins as fit.
    """

    n: int
    l: int
    occupation: float
    moment: float | None = None

    @property
    def capacity(self) -> int:
        """2(2l+1)."""
        return 2 * (2 * self.l + 1)

    @property
    def hund_moment(self) -> float:
        """The largest N↑ − N↓ this occupation can have."""
        return min(self.occupation, self.capacity - self.occupation)

    @property
    def spin_occupations(self) -> tuple[float, float]:
        """(N↑, N↓)."""
        moment = self.hund_moment if self.moment is None else self.moment
        return (self.occupation + moment) / 2, (self.occupation - moment) / 2

    @property
    def label(self) -> str:
        """As in 3d."""
        return f"{self.n}{LETTERS[self.l]}"

    def __str__(self) -> str:
        spin = "" if self.moment is None else f"({self.moment:+g})"
        return f"{self.label}{self.occupation:g}{spin}"


@dataclass(frozen=True)
class Configuration:
    """Shells in order of n, then l, each at most once."""

    shells: tuple[Shell, ...]

    @property
    def electrons(self) -> float:
        """Number of electrons."""
        return sum(shell.occupation for shell in self.shells)

    @property
    def moment(self) -> float:
        """N↑ − N↓ = 2 S for the parallel coupling the shells describe."""
        return sum(up - down for up, down in (shell.spin_occupations for shell in self.shells))

    def __str__(self) -> str:
        """Shells after the largest closed noble-gas core, as in "[Ar] 3d6 4s2"; "bare" without electrons."""
        for symbol, z in reversed(NOBLE_GASES.items()):
            core = set(_madelung_shells(z))
            if core < set(self.shells):
                outer = " ".join(str(shell) for shell in self.shells if shell not in core)
                return f"[{symbol}] {outer}"
        return " ".join(map(str, self.shells)) or "bare"


def configuration_of(shells: dict[tuple[int, int], float] | list[Shell]) -> Configuration:
    """A checked, sorted configuration without empty shells. Raises InputError."""
    listed = [Shell(n, l, f) for (n, l), f in shells.items()] if isinstance(shells, dict) else list(shells)
    for shell in listed:
        if shell.l >= shell.n or shell.n < 1 or shell.l >= len(LETTERS):
            raise InputError(f"there is no shell {shell.label}: l must be below n")
        if not 0 <= shell.occupation <= shell.capacity:
            raise InputError(f"{shell.label} holds 0 to {shell.capacity} electrons, not {shell.occupation:g}")
        if shell.moment is not None and abs(shell.moment) > shell.hund_moment + 1e-12:
            raise InputError(
                f"{shell.label} with {shell.occupation:g} electrons has N(up) - N(down) of at most "
                f"{shell.hund_moment:g}, not {shell.moment:g}"
            )
    if len({(shell.n, shell.l) for shell in listed}) < len(listed):
        raise InputError("a shell is given twice")
    return Configuration(tuple(sorted(shell for shell in listed if shell.occupation > 0)))


def parse_configuration(text: str) -> Configuration:
    """Reads "[Ar] 3d6 4s2", "1s2 2s2 2p3.5" or with moments "1s1(+1) 2s1(-1)". Raises InputError."""
    shells: list[Shell] = []
    for token in text.replace("^", "").split():
        core = re.fullmatch(r"\[(\w+)\]", token)
        shell = re.fullmatch(rf"(\d+)([{LETTERS}])(\d*\.?\d*)(?:\(([+-]?\d*\.?\d+)\))?", token)
        if core and core[1] in NOBLE_GASES:
            shells += _madelung_shells(NOBLE_GASES[core[1]])
        elif shell:
            occupation = float(shell[3]) if shell[3] not in ("", ".") else 1.0
            moment = float(shell[4]) if shell[4] else None
            shells.append(Shell(int(shell[1]), LETTERS.index(shell[2]), occupation, moment))
        else:
            raise InputError(f"cannot read {token!r} in configuration {text!r}: write it as [Ar] 3d6 4s2")
    return configuration_of(shells)


@lru_cache(maxsize=1024)
def ground_configuration(element: str | int, charge: int = 0) -> Configuration:
    """The experimental ground configuration of a neutral atom or cation; an anion adds to the neutral's open
    shells.

    Raises InputError for an unknown element or a charge that leaves fewer than zero or too many electrons.
    """
    z = atomic_number(element)
    if charge > z:
        raise InputError(f"{SYMBOLS[z - 1]} has {z} electrons: a charge of {charge:+d} is not possible")
    if charge == 1 and z in CATION_EXCEPTIONS:
        return parse_configuration(CATION_EXCEPTIONS[z])
    if z > LAST_NAMED:
        raise InputError(f'{SYMBOLS[z - 1]} has no known ground configuration: give one, such as "[Og] 8s2"')
    neutral = parse_configuration(NEUTRAL_EXCEPTIONS[z]) if z in NEUTRAL_EXCEPTIONS else None
    shells = {(s.n, s.l): s.occupation for s in (neutral.shells if neutral else _madelung_shells(z))}
    if charge > 1 and z in CATION_EXCEPTIONS:
        shells = {(s.n, s.l): s.occupation for s in ground_configuration(z, 1).shells}
        charge -= 1
    for _ in range(max(charge, 0)):
        outer = max(shells)
        shells[outer] -= 1
        if shells[outer] == 0:
            del shells[outer]
    for _ in range(max(-charge, 0)):
        room = [s for s in madelung_order() if shells.get(s, 0) < 2 * (2 * s[1] + 1)]
        shells[room[0]] = shells.get(room[0], 0) + 1
    return configuration_of(shells)


def with_polarisation(configuration: Configuration, zeta: float) -> Configuration:
    """Every open shell's moment scaled so that (N↑ − N↓)/N = zeta.

    Raises InputError beyond Hund's maximum.
    """
    wanted = zeta * configuration.electrons
    largest = sum(shell.hund_moment for shell in configuration.shells)
    if abs(wanted) > largest + 1e-12:
        limit = largest / configuration.electrons if configuration.electrons else 0.0
        raise InputError(
            f"polarisation {zeta:g} is beyond what the open shells of {configuration} allow, {limit:.6g}"
        )
    scale = wanted / largest if largest else 0.0
    return Configuration(
        tuple(replace(shell, moment=scale * shell.hund_moment) for shell in configuration.shells)
    )


def _madelung_shells(electrons: int) -> list[Shell]:
    shells: list[Shell] = []
    left = electrons
    for n, l in madelung_order():
        filling = min(left, 2 * (2 * l + 1))
        if filling:
            shells.append(Shell(n, l, float(filling)))
        left -= filling
    return sorted(shells)
