"""The graphs in ONNX Runtime against numpy, with nothing of theirs: libxc, eigenvectors, the engine's J/K.

Trajectories of three kinds are compared: a weak kick, a field that swings, and one that ionises.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime

from ...adapters.pyscf.engine import PySCFEngine
from ...adapters.pyscf.quadrature import energy_and_potential
from ...atomic.errors import Failed
from .graphs import Precision
from .magnus_step import CORRECTIONS
from .molecule import RolloutMatrices, RolloutPoints

#: Largest error of a trajectory that is allowed: that of the dipole's motion, root mean square. In single
#: precision it grows tenfold to 300 steps, where it is to be below 1e-4.
ALLOWED: Mapping[Precision, float] = {"float64": 1e-6, "float32": 1e-5}
#: Steps that are compared, and the largest fields.
STEPS, KICK, SWING, IONISING = 30, 1e-4, 0.05, 0.15


class GraphsDiffer(Failed):
    """Graphs that are not what numpy says, or that ONNX Runtime does not take. One line."""


@dataclass(frozen=True, eq=False)
class ByNumpy:
    """A molecule's Magnus steps by numpy.

    mean_field: J and exact exchange of δP, (n_spin, m, m) complex, in the molecule's basis.
    xc: PySCF's description of the functional.
    """

    molecule: RolloutMatrices
    dt: float
    xc: str
    mean_field: Callable[[np.ndarray], np.ndarray]

    def run(self, fields: np.ndarray) -> np.ndarray:
        """Dipoles (n, 3) at the start and behind every step, in fields E(0), E(dt), ... (n, 3)."""
        fock = self.molecule.fock + self._field(fields[0])
        half, orbitals = fock, self.molecule.orbitals.astype(complex)
        dipoles = [self._dipole(orbitals)]
        for field in fields[1:]:
            last, start = fock, orbitals
            half = 2.0 * last - half
            orbitals = self._propagated(half, start)
            for _ in range(CORRECTIONS):
                fock = self.fock(self.density(orbitals)) + self._field(field)
                half = 0.5 * (last + fock)
                orbitals = self._propagated(half, start)
            dipoles.append(self._dipole(orbitals))
        return np.array(dipoles)

    def density(self, orbitals: np.ndarray) -> np.ndarray:
        """P of Y."""
        return (orbitals * self.molecule.occupations[:, None, :]) @ orbitals.conj().swapaxes(1, 2)

    def fock(self, density: np.ndarray) -> np.ndarray:
        """Field-free F of P."""
        fock = self.molecule.fock + self.mean_field(density - self.molecule.density)
        points = self.molecule.points
        if points is not None:
            at = (_at_points(points, p) for p in (np.real(density), self.molecule.density))
            now, at_rest = (energy_and_potential(self.xc, rho)[1] for rho in at)
            fock = fock + _matrix(points, now - at_rest)
        return fock

    def _field(self, field: np.ndarray) -> np.ndarray:
        return np.einsum("x,xsij->sij", field, self.molecule.field)

    def _dipole(self, orbitals: np.ndarray) -> np.ndarray:
        total = np.real(self.density(orbitals)).sum(axis=0)
        return self.molecule.nuclear - np.einsum("xij,ij->x", self.molecule.dipole, total)

    def _propagated(self, fock: np.ndarray, orbitals: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(fock)
        phases = np.exp(-1j * self.dt * values)[:, :, None]
        return vectors @ (phases * (vectors.conj().swapaxes(1, 2) @ orbitals))


def by_numpy(molecule: RolloutMatrices, dt: float, engine: PySCFEngine) -> ByNumpy:
    """J and exact exchange by the engine."""
    C = molecule.basis

    def mean_field(change: np.ndarray) -> np.ndarray:
        return C.T @ engine.mean_field_response(C @ change @ C.T) @ C

    return ByNumpy(molecule, dt, engine.system.functional.pyscf, mean_field)


def check_graphs(
    contents: Mapping[str, bytes], reference: ByNumpy, precision: Precision = "float64"
) -> float:
    """Largest error of a trajectory by either graph. Raises GraphsDiffer."""
    allowed = ALLOWED[precision]
    fields = compared_fields(reference.dt)
    wanted = np.array([reference.run(fields[:, k]) for k in range(fields.shape[1])]).swapaxes(0, 1)
    if precision == "float32":
        # These graphs give what has moved.
        wanted = wanted - wanted[0]
    worst = 0.0
    for name in ("step", "block"):
        try:
            found = run_graphs(contents, fields, by_block=name == "block")
        except Exception as error:
            # ONNX Runtime raises types of its own, all of them for graphs that it cannot run.
            raise GraphsDiffer(f"{name}: ONNX Runtime: {str(error).splitlines()[0]}") from error
        error = max(trajectory_error(found[:, k], wanted[:, k]) for k in range(wanted.shape[1]))
        if not error <= allowed:
            out = "; --precision float64 loses less" if precision == "float32" else ""
            raise GraphsDiffer(f"{name}: differs from numpy by {error:.1e}, allowed {allowed:.0e}{out}")
        worst = max(worst, error)
    return worst


def run_graphs(contents: Mapping[str, bytes], fields: np.ndarray, *, by_block: bool) -> np.ndarray:
    """Dipoles (n, batch, 3) at the start and behind every step, in fields (n, batch, 3), on the CPU."""
    begun, session = _session(contents["start"]), _session(contents["block" if by_block else "step"])
    single = begun.get_inputs()[0].type == "tensor(float)"
    fields = fields.astype(np.float32 if single else np.float64)
    *state, dipole = begun.run(None, {"field": fields[0]})
    names = [entry.name for entry in session.get_inputs()]
    if by_block:
        *_, later = session.run(None, dict(zip(names, (*state, fields[1:]), strict=True)))
        return np.concatenate([np.asarray(dipole)[None], np.asarray(later)])
    dipoles = [dipole]
    for field in fields[1:]:
        *state, dipole = session.run(None, dict(zip(names, (*state, field), strict=True)))
        dipoles.append(dipole)
    return np.array(dipoles)


def compared_fields(dt: float) -> np.ndarray:
    """E at the start and behind every step of the trajectories compared, (STEPS + 1, 3, 3)."""
    t = dt * np.arange(STEPS + 1)
    fields = np.zeros((STEPS + 1, 3, 3))
    fields[0, 0] = KICK / np.sqrt(3.0)
    fields[:, 1, 0] = SWING * np.sin(0.4 * t)
    fields[:, 2, 2] = IONISING * np.minimum(t / max(t[-1] / 3.0, dt), 1.0)
    return fields


def trajectory_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """RMS(μ - μ_ref) / RMS(μ_ref - μ_ref(0)) of dipoles (n, 3)."""
    moved = np.linalg.norm(wanted - wanted[0])
    return float(np.linalg.norm(found - wanted) / moved) if moved else float(np.linalg.norm(found - wanted))


def _session(content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _at_points(points: RolloutPoints, density: np.ndarray) -> np.ndarray:
    """ρ and ∇ρ, (n_spin, 1 or 4, g), of a real P."""
    rho = np.einsum("sgj,xgj->sxg", points.orbitals[0] @ density, points.orbitals)
    rho[:, 1:] *= 2.0
    return rho


def _matrix(points: RolloutPoints, potential: np.ndarray) -> np.ndarray:
    """V (n_spin, m, m) of v, (n_spin, 1 or 4, g)."""
    psi, weighted = points.orbitals, potential * points.weights
    V = np.einsum("xgi,sxg,gj->sij", psi[:1], 0.5 * weighted[:, :1], psi[0], optimize=True)
    if len(psi) > 1:
        V += np.einsum("xgi,sxg,gj->sij", psi[1:], weighted[:, 1:], psi[0], optimize=True)
    return V + V.swapaxes(1, 2)
