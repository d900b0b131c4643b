"""A response learned from a reference code's densities alone, for a code that shows no Fock matrix.

To first order a step moves only X, the block of P' between empty orbitals a and occupied ones i:

    i dX/dt = (ε_a - ε_i) X + n F,     F = F0 + A Re X + i B Im X

n: electrons in an occupied orbital. A and B are real and symmetric (the orbital Hessians of Casida's
equations without their diagonal), and hold all that one step can tell: also what F0's own diagonal lacks.
What the code's steps from known densities say of F is a linear regression for A and B (`LearnedMap`); the
steps themselves are made by whoever gives `probe`.

The spread is what is known to be missing: the part of X that no step has shown, times the error seen where
the first guess was compared; the error seen again along known directions; and the second order, seen where
steps from X and -X do not mirror each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..matrices.occupied_empty import OccupiedEmpty
from ..surrogate import Measurement, Visit
from .learned_map import LearnedMap

#: Expected relative error of the first guess and of what has been learned, until either has been measured.
GUESS_ERROR, LEARNED_ERROR = 0.03, 1e-5
#: |ΔF - linear| / |X|², Hartree, until measured.
CURVATURE = 0.1
#: Measured errors that count: the last so many.
_RECENT = 8
#: Share of an input outside the known directions from which on it says how good the first guess is.
_NEW = 0.3
#: Visits gathered for one update of the second moments, and steps between two visits that are looked at.
_BATCH, _LOOK_EVERY = 32, 4
_NOTHING = 1e-13


@dataclass(frozen=True, eq=False)
class StreamExpansionPoint:
    """About what the response expands.

    density, fock: P'0 and F'0, (n_spin, m, m); core, coulomb: h' and J'[P0]; energies: core, Coulomb,
    exchange-correlation, Hartree. coulomb_of: J' (n_spin, m, m) of a real P'.
    """

    density: np.ndarray
    fock: np.ndarray
    core: np.ndarray
    coulomb: np.ndarray
    energies: tuple[float, float, float]
    coulomb_of: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Pair:
    """What steps from X and -X have shown: the input X (d,), the part of F that the surrogate lacked there,
    (d,) complex, and the norm of what did not mirror."""

    x: np.ndarray
    lacking: np.ndarray
    even: float


class StreamedResponse:
    """Implements `Surrogate`.

    real, imaginary: first guesses of A and B, (d, d). probe: a `Pair` measured along a direction, (d,)
    complex of any length.
    """

    def __init__(
        self,
        space: OccupiedEmpty,
        about: StreamExpansionPoint,
        real: np.ndarray,
        imaginary: np.ndarray,
        probe: Callable[["StreamedResponse", np.ndarray], Pair],
    ) -> None:
        self.mean_field_builds = 0
        self.space, self.about, self._probe = space, about, probe
        self._a, self._b = LearnedMap(real), LearnedMap(imaginary)
        self._guess_errors, self._errors, self._curvatures = [], [], []
        self._visits: list[np.ndarray] = []
        self._moments = np.zeros((2, space.n_pairs, space.n_pairs))
        self._response_moment, self._n_visits, self._wait, self._spread = 0.0, 0, 1, 0.0
        self._q, self._j = np.zeros((2, 0, space.n_pairs))

    @property
    def held_out_error(self) -> float:
        """Relative error of F along known directions, on steps not yet learned from, the last of them."""
        return _rms(self._errors, LEARNED_ERROR)

    def response(self, x: np.ndarray) -> np.ndarray:
        """ΔF (..., d) of X (..., d)."""
        return self._a.apply(np.real(x)) + 1j * self._b.apply(np.imag(x))

    @property
    def nonlinear(self) -> bool:
        """False: anchors tell of it."""
        return False

    @property
    def first_order_fails(self) -> bool:
        """Nothing holds it."""
        return False

    def predict(self, density: np.ndarray) -> np.ndarray:
        """F' of one P'. Cost: two products with (d, d) matrices."""
        x = self.space.block(density - self.about.density)
        return self.about.fock + self.space.matrix(self.response(x))

    def visit(self, density: np.ndarray, *, last: bool = False) -> Visit:
        """See `Surrogate`; the spread is looked at every few steps, and at a segment's last."""
        self._wait -= 1
        if self._wait <= 0 or last:
            self._wait = _LOOK_EVERY
            x = self.space.block(density - self.about.density)
            response = float(np.linalg.norm(self.response(x)))
            self._n_visits += 1
            self._response_moment += response**2
            self._visits.append(x)
            if len(self._visits) == _BATCH:
                self._gather()
            typical = max(response, np.sqrt(self._response_moment / self._n_visits), _NOTHING)
            self._spread = self._missing(x, response) / typical
        return Visit(self._spread, 0.0)

    def observe(self, density: np.ndarray, fock: np.ndarray) -> Measurement:
        """Learn from the block of F' at one P'; at P' far from the ground state only measure."""
        x = self.space.block(density - self.about.density)
        lacking = self.space.block(fock - self.predict(density))
        response = self.response(x) + lacking
        measurement = Measurement(
            float(np.sqrt(2.0) * np.linalg.norm(lacking)),
            float(np.sqrt(2.0) * np.linalg.norm(response)),
            float(np.sqrt(2.0) * self.space.filling * np.linalg.norm(lacking)),
        )
        self.learn(Pair(x, lacking, 0.0))
        return measurement

    def learn(self, pair: Pair) -> None:
        """Take in what steps have shown, after comparing it with what was expected."""
        x = pair.x
        size = float(np.linalg.norm(x))
        if size < _NOTHING:
            return
        lacking = float(np.linalg.norm(pair.lacking))
        response = max(float(np.linalg.norm(self.response(x))), _NOTHING)
        new = self._outside(x)
        if np.linalg.norm(new) > _NEW * size:
            self._guess_errors.append(lacking / max(float(np.linalg.norm(self.response(new))), _NOTHING))
        else:
            self._errors.append(lacking / response)
        if pair.even > 0.0:
            self._curvatures.append(pair.even / size**2)
        self._a.add(np.real(x), self._a.apply(np.real(x)) + np.real(pair.lacking))
        self._b.add(np.imag(x), self._b.apply(np.imag(x)) + np.imag(pair.lacking))
        self._a.fit()
        self._b.fit()

    def refine(self, target: float, most: int) -> int:
        """Probe the principal directions of the visits until what is expected to lack is at `target`."""
        self._gather()
        if self._n_visits == 0:
            return 0
        builds = 0
        typical = max(self._response_moment / self._n_visits, _NOTHING**2)
        # A step's input is not quite the direction asked for: once more for what is left.
        for _ in range(2):
            found = [_principal(m, learned) for m, learned in zip(self._moments, self._maps, strict=True)]
            # What each direction contributes: its second moment times what the response makes of it.
            sizes = np.zeros((2, max(len(v) for v, _ in found)))
            for row, (vectors, variances), learned in zip(sizes, found, self._maps, strict=True):
                images = learned.apply(vectors)
                row[: len(vectors)] = variances / self._n_visits * np.vecdot(images, images)
            error = _rms(self._guess_errors, GUESS_ERROR)
            contributions = np.sort(sizes, axis=1)[:, ::-1]
            left = np.append(np.cumsum(contributions.sum(axis=0)[::-1])[::-1], 0.0)
            needed = int(np.argmax(error**2 * left <= target**2 * typical))
            if needed == 0 or builds == most:
                break
            order = np.argsort(-sizes, axis=1)
            for k in range(min(needed, most - builds)):
                directions = np.zeros((2, self.space.n_pairs))
                for row, (vectors, _), ranks in zip(directions, found, order, strict=True):
                    if ranks[k] < len(vectors):
                        row[:] = vectors[ranks[k]]
                self.learn(self._probe(self, directions[0] + 1j * directions[1]))
                builds += 1
        return builds

    def sharpen(self) -> bool:
        """Nothing to sharpen: the codes' digits set the threshold."""
        return False

    def energies(self, densities: np.ndarray) -> np.ndarray:
        """See `Surrogate`: E(P) = E(P0) + Tr F0 δP + ½ Tr ΔF δP, and the like for each part."""
        change = densities - self.about.density
        x = self.space.block(change)
        core, coulomb, _ = self.about.energies
        flat = change.reshape(len(change), -1)
        core = core + np.real(flat @ np.conj(self.about.core).ravel())
        coulomb = coulomb + np.real(flat @ np.conj(self.about.coulomb).ravel())
        coulomb = coulomb + np.vecdot(np.real(x), self._coulomb(np.real(x)))
        total = sum(self.about.energies) + np.real(flat @ np.conj(self.about.fock).ravel())
        total = total + np.real(np.vecdot(x, self.response(x)))
        return np.stack([core, coulomb, total - core - coulomb], axis=1)

    def save(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays that `load` takes back."""
        self._gather()
        return {
            **self._a.save("a"),
            **self._b.save("b"),
            "moments": self._moments,
            "measured": np.array(self._guess_errors[-_RECENT:]),
            "measured_again": np.array(self._errors[-_RECENT:]),
            "curvatures": np.array(self._curvatures[-_RECENT:]),
            "visits": np.array([self._response_moment, self._n_visits, self._wait, self._spread]),
        }

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Become what was saved."""
        self._a.load("a", arrays)
        self._b.load("b", arrays)
        self._moments = np.array(arrays["moments"])
        self._visits = []
        self._guess_errors = np.asarray(arrays["measured"]).tolist()
        self._errors = np.asarray(arrays["measured_again"]).tolist()
        self._curvatures = np.asarray(arrays["curvatures"]).tolist()
        moment, n_visits, wait, spread = np.asarray(arrays["visits"]).tolist()
        self._response_moment, self._spread = moment, spread
        self._n_visits, self._wait = int(n_visits), int(wait)

    @property
    def _maps(self) -> tuple[LearnedMap, LearnedMap]:
        return self._a, self._b

    def _outside(self, x: np.ndarray) -> np.ndarray:
        return self._a.outside(np.real(x)) + 1j * self._b.outside(np.imag(x))

    def _missing(self, x: np.ndarray, response: float) -> float:
        """Expected norm of what F lacks at X."""
        guess = _rms(self._guess_errors, GUESS_ERROR) * float(np.linalg.norm(self.response(self._outside(x))))
        again = self.held_out_error * response
        curvature = _rms(self._curvatures, CURVATURE) * float(np.vdot(x, x).real)
        return float(np.sqrt(guess**2 + again**2 + curvature**2))

    def _gather(self) -> None:
        """Take the visits waiting into the second moments."""
        if self._visits:
            x = np.array(self._visits)
            self._moments[0] += np.real(x).T @ np.real(x)
            self._moments[1] += np.imag(x).T @ np.imag(x)
            self._visits = []

    def _coulomb(self, x: np.ndarray) -> np.ndarray:
        """J (k, d) of real X (k, d); one integral contraction for every direction not met before."""
        rest = x - (x @ self._q.T) @ self._q
        _, sizes, directions = np.linalg.svd(rest, full_matrices=False)
        new = directions[sizes > 1e-6 * max(float(np.linalg.norm(x)), _NOTHING)]
        if len(new):
            # Once more: what is nearly known already loses its orthogonality to rounding.
            new = new - (new @ self._q.T) @ self._q
            new = np.linalg.qr(new.T)[0].T
            images = [np.real(self.space.block(self.about.coulomb_of(self.space.matrix(v)))) for v in new]
            self._q, self._j = np.concatenate([self._q, new]), np.concatenate([self._j, np.array(images)])
        return (x @ self._q.T) @ self._j


def _principal(moment: np.ndarray, learned: LearnedMap) -> tuple[np.ndarray, np.ndarray]:
    """Directions (k, d), largest first, of what visits have outside the known ones; their moments (k,)."""
    outside = learned.outside(learned.outside(moment).T)
    variances, vectors = np.linalg.eigh(0.5 * (outside + outside.T))
    kept = variances[::-1] > 1e-14 * max(float(np.trace(moment)), _NOTHING**2)
    return vectors[:, ::-1].T[kept], variances[::-1][kept]


def _rms(values: list[float], otherwise: float) -> float:
    recent = values[-_RECENT:]
    return float(np.sqrt(np.mean(np.square(recent)))) if recent else otherwise
