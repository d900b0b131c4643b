"""The error stated: an upper estimate of the trajectory error, and what it rests on.

    stated = RMS(μ_shadow - μ) / RMS(μ - μ(0)) + 0.03 |D| √(Σ RMS²|[D_k, P_k]| T T₀) / RMS(μ - μ(0)) + 1e-6

In weak motion, where orders are told apart, the second counts as if it acted for T₁, and the first is

    Σ 3 d^(-1/2) RMS|[D_k, P_k]| T / RMS|δP|,    d: pairs of orbitals that move

μ_shadow: of a second propagation, which carries what the surrogate lacks along (`shadow`), f times as large
as it was measured. The sum is over segments of duration T: pushes that keep their direction for T₀ add up to
this. |D| is the norm of the dipole matrices between occupied and empty orbitals. f(K, n) = 1.4 (1 + 3.5/K²)
(1 + 0.6 n): K points were drawn, and may have missed the worst; n passes over the segment were judged too far
off, and to try again favours lucky draws. Points learned beforehand make f larger again, by 1.5.
"""

from dataclasses import dataclass

import numpy as np

#: Stated over estimated with many points drawn, and how much more with few.
SAFETY, FEW = 1.4, 3.5
#: K is the points drawn so far, at most so many times the segment's own: where one segment makes most
#: of the error, what others were like says little of it.
OWN_WORTH = 2
#: How much more after every try that was judged too large: to try until it fits favours lucky draws.
RETRY = 0.6
#: How much more where what is not linear comes from points learned beforehand: these err with one sign for a
#: whole run. LiH in a resonant pulse had 1.2. And how much more is stated for what is not seen, if --tol is
#: tight.
FIXED, FIXED_UNSEEN = 1.5, 2.0
#: Share that is added of what defects push the dipole by, which keep their direction for so long, au: what
#: no operator of a few points sees.
SHARE, COHERENT = 0.03, 30.0
#: What is of second order in weak motion has other frequencies than what it drives, and hardly adds up: at
#: 600 au 14 molecules were 1.0 to 2.1 times as far off as at 100, 1.3 times in the median.
LASTING = 100.0
#: What a kernel lacks in first order turns every mode at a constant rate: the diagonal of the missing matrix,
#: which is its norm over √d where it has no structure. Lactic acid's, interpolated, made 0.6 of this.
DRIFT = 3.0
#: Share of the force that another code's own step shows beyond the Fock matrix that was compared.
BEYOND = 0.1
#: Share of the bound of first order that is stated for what steps with a Fock build each lack. HCl after a
#: kick had 0.81 of it; chains of sites, with surrogates that were 3 to 100 % off, up to 0.28.
CORRECTED = 1.0
#: Dipole, au, that rounding moves a reference's by at every step, in one direction. FH in STO-3G: 3e-16 to
#: 9e-16, by the processor's kernels. A kick across its axis moves it by 1e-9 au; 400 steps are off by 2e-4
#: of that.
ROUNDING = 2e-15
#: Dipole, au, that is stated for a written density's rounding, over the rounding's expected norm. Water in
#: kicks of 2e-5 and 3e-5, by ten digits, had 0.1.
DIGITS = 0.3
#: Dipole that is stated for a Fock history that a code has lost, over its expected root mean square.
HISTORY = 4.0
#: Added to every statement: what the reference's own iterations, ended at a tolerance, leave open.
LEAST = 1e-6
#: Dipole, au, root mean square, that counts as none: rounding alone moves it by less. An atom in s functions
#: has no other motion, and an error relative to that would be no number.
STILL = 1e-12
#: Share of runs, at least, whose error is not above the one stated.
CONFIDENCE = 0.95


def factor(before: int, own: int, tries: int) -> float:
    """f(K, n): points drawn in earlier segments and in this one, at least one; tries n of this one."""
    n_drawn = min(before + own, OWN_WORTH * own)
    return SAFETY * (1.0 + FEW / max(n_drawn, 1) ** 2) * (1.0 + RETRY * tries)


@dataclass(frozen=True)
class Sums:
    """What the statement is made of.

    gap: Σ |μ_shadow - μ|² over points.
    signal: Σ |μ - μ(0)|² over the same.
    points: how many these are.
    push: |D|² ∫ |[D, P]|² dt, au, of which the second term is made.
    swing: the same of what is of second order, where that is known; lasted: the time of it, au.
    drift: what is of first order there, relative.
    rest: what a step of another code shows beyond the Fock matrix, relative.
    bound: ∫ |[D, P]| dt / RMS |δP|, of first order.
    n_drawn: points drawn and measured in segments that were kept.
    noise: Σ over points of the square of what rounding, digits of a code and lost histories leave open, au.
    entered: Σ over lost histories so far of the square of what each changes at every later point, au.
    """

    gap: float = 0.0
    signal: float = 0.0
    points: int = 0
    push: float = 0.0
    rest: float = 0.0
    bound: float = 0.0
    n_drawn: int = 0
    noise: float = 0.0
    entered: float = 0.0
    swing: float = 0.0
    lasted: float = 0.0
    drift: float = 0.0

    @property
    def stated(self) -> float:
        """The stated error."""
        return self.relative(0.0)

    def relative(self, floor: float) -> float:
        """The same where a signal sum below `floor` counts as that."""
        signal, noise = self.motion(floor), 0.0 if self.still else self.noise
        seen = float(np.sqrt(self.gap / signal) + np.sqrt(noise / signal))
        return seen + self.unseen(floor) + self.rest + LEAST

    def unseen(self, floor: float) -> float:
        """The second term: what no operator of a few points sees."""
        push = self.push + self.swing * LASTING / max(self.lasted, LASTING)
        return SHARE * float(np.sqrt(COHERENT * push * self.points / self.motion(floor))) + self.drift

    @property
    def still(self) -> bool:
        """Nothing moves by more than rounding, which is no error then: helium in s functions states none."""
        return self.signal <= max(self.points, 1) * STILL**2

    def motion(self, floor: float) -> float:
        """Signal sum that errors are relative to: at least `floor`, and more than rounding alone makes."""
        return max(self.signal, floor, max(self.points, 1) * STILL**2)


def digits_apart(error: float, tolerance: float) -> int:
    """Significant digits, two at least, that show on which side of the tolerance an error is."""
    for digits in range(2, 17):
        if (float(f"{error:.{digits - 1}e}") > tolerance) == (error > tolerance):
            return digits
    return 17
