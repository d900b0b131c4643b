"""Errors of trained weights on response pairs that training did not see."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..matrices.atom_pairs import atom_pairs
from ..network.response_model import ResponseModel, restored
from ..runtime.adaptation import adapt_token_kernel
from ..runtime.fitting_factors import mean_field_alone
from ..samples.pairs_file import SPLITS, PairsError, ResponsePairs, read_pairs
from .kernel_samples import GeometryPairs, geometry_pairs
from .tensor_file import TensorFileError, load_tensors


@dataclass(frozen=True)
class Row:
    """Of one molecule and level: relative errors of ΔF, root mean square over pairs (median in brackets in
    the table). base: Coulomb and exchange, or the kernel; kernel: the analytic kernel, nan where there is
    none; zero_shot: with the network; adapted: after adaptation to `n_adapted` of a geometry's pairs, on the
    others. spearman: rank correlation of the ensemble's spread and the true error, over pairs; ratio: median
    of error over spread."""

    molecule: str
    level: str
    geometries: int
    pairs: int
    base: float
    kernel: float
    zero_shot: float
    zero_shot_median: float
    n_adapted: int
    adapted: float
    adapted_median: float
    spearman: float
    ratio: float


@dataclass(frozen=True, eq=False)
class Errors:
    """Of every pair of one geometry, (p,) each."""

    base: np.ndarray
    kernel: np.ndarray
    zero_shot: np.ndarray
    spread: np.ndarray
    adapted: np.ndarray


def load_model(path: Path) -> tuple[ResponseModel, dict[str, object]]:
    """The network and what it was trained on. Raises PairsError."""
    try:
        content = load_tensors(path)
        return restored(content).eval(), content["trained_on"]
    except TensorFileError as error:
        raise PairsError(str(error)) from error
    except (KeyError, TypeError, AssertionError) as error:
        raise PairsError(f"{path}: not weights of hybrid-train") from error
    except (RuntimeError, ValueError) as error:
        raise PairsError(f"{path}: not weights of hybrid-train ({str(error).splitlines()[0]})") from error


def evaluate(weights: Path, data: Path, split: str, n_adapted: int, largest: float) -> list[Row]:
    """One row a file, of levels not trained on too; open shells and elements that the network has no room for
    are passed over. Raises PairsError."""
    model, trained_on = load_model(weights)
    rows = []
    for path in sorted((data / "pairs").glob("*.h5")):
        errors = file_errors(model, path, str(trained_on["base"]), split, n_adapted, largest)
        if errors:
            molecule, _, level = path.stem.partition("_")
            rows.append(_row(molecule, level, errors, n_adapted))
    if not rows:
        raise PairsError(f"{data / 'pairs'}: no pairs in the split {split!r} that the network covers")
    return rows


def file_errors(
    model: ResponseModel, path: Path, base: str, split: str, n_adapted: int, largest: float
) -> list[Errors]:
    """Errors geometry by geometry, of pairs up to |δP| = `largest`. Raises PairsError."""
    content = read_pairs(path)
    # A held-out molecule has no split of its own.
    known = set(np.unique(content.atomic_numbers).tolist()) <= set(model.config.elements)
    if int(content.attributes["n_spin"]) != 1 or not known:
        return []
    chosen = np.flatnonzero(content.geometries.split == SPLITS.index(split))
    errors = []
    for k in map(int, chosen):
        pairs = geometry_pairs(path, content, k, base)
        everything = geometry_errors(model, content, k, pairs, n_adapted, largest)
        kept = pairs.sizes <= largest
        errors.append(Errors(*(getattr(everything, name)[kept] for name in Errors.__dataclass_fields__)))
    return errors


def geometry_errors(
    model: ResponseModel,
    content: ResponsePairs,
    k: int,
    pairs: GeometryPairs,
    n_adapted: int,
    largest: float,
) -> Errors:
    """Errors of all pairs of geometry k of a file; adaptation is to the first of those up to `largest`."""
    token_kernel = token_kernels(model, content.atomic_numbers, pairs).astype(float)
    if mean_field_alone(str(content.attributes["pyscf_xc"])):
        token_kernel[:] = 0.0
    B, mean = pairs.factors.factors, token_kernel.mean(0)
    sizes = np.hypot(np.linalg.norm(pairs.response_x, axis=1), np.linalg.norm(pairs.response_y, axis=1))
    missing = pairs.response_x - pairs.base_x
    rest = np.linalg.norm(pairs.response_y - pairs.base_y, axis=1)
    q = pairs.x @ B.T

    def error(of: np.ndarray) -> np.ndarray:
        return np.hypot(np.linalg.norm(missing - q @ of @ B, axis=1), rest) / sizes

    deviations = np.array([np.linalg.norm(q @ (m - mean) @ B, axis=1) for m in token_kernel])
    keep = np.flatnonzero(pairs.sizes <= largest)
    adapted = np.full(len(q), np.nan)
    if n_adapted and len(keep) > n_adapted:
        few, others = keep[:n_adapted], keep[n_adapted:]
        found = adapt_token_kernel(mean, B, content.atomic_numbers, pairs.x[few], missing[few])
        adapted[others] = error(found.token_kernel)[others]
    spread = np.sqrt((deviations**2).mean(0)) / sizes
    return Errors(error(np.zeros_like(mean)), _kernel_errors(content, k), error(mean), spread, adapted)


def _kernel_errors(content: ResponsePairs, k: int) -> np.ndarray:
    """Of the analytic kernel's ΔF at geometry k, nan where the file has none."""
    rows = np.flatnonzero(content.pairs.geometry == k)
    if content.pairs.kernel is None:
        return np.full(len(rows), np.nan)
    fock = content.pairs.fock[rows, 0]
    difference = np.linalg.norm(content.pairs.kernel[rows, 0] - fock, axis=(1, 2))
    return difference / np.linalg.norm(fock, axis=(1, 2))


def token_kernels(model: ResponseModel, numbers: np.ndarray, pairs: GeometryPairs) -> np.ndarray:
    """Kernels on tokens of all members at one geometry, (members, A d, A d)."""
    with torch.no_grad():
        return model.token_kernel(
            torch.as_tensor(np.asarray(numbers, np.int64)),
            torch.as_tensor(pairs.mol.atom_coords().astype(np.float32)),
            torch.as_tensor(atom_pairs(np.array([len(numbers)]))),
            torch.as_tensor(pairs.factors.basis_moments.astype(np.float32)),
            len(numbers),
        )[:, 0].numpy()


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table, errors in percent."""
    lines = [
        "| molecule | level | geometries | pairs | base | kernel | zero-shot (median) | adapted (median) "
        "| Spearman |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        kernel, zero, median, adapted, of_adapted = (
            f"{100 * value:.2f}"
            for value in (row.kernel, row.zero_shot, row.zero_shot_median, row.adapted, row.adapted_median)
        )
        lines.append(
            f"| {row.molecule} | {row.level} | {row.geometries} | {row.pairs} | {100 * row.base:.1f} "
            f"| {kernel} | {zero} ({median}) | {adapted} ({of_adapted}) | {row.spearman:.2f} |"
        )
    return "\n".join(lines)


def _row(molecule: str, level: str, errors: list[Errors], n_adapted: int) -> Row:
    from scipy.stats import spearmanr

    joined = {
        name: np.concatenate([getattr(e, name) for e in errors]) for name in Errors.__dataclass_fields__
    }

    def rms(name: str) -> float:
        values = joined[name][~np.isnan(joined[name])]
        return float(np.sqrt((values**2).mean())) if len(values) else float("nan")

    def median(name: str) -> float:
        values = joined[name][~np.isnan(joined[name])]
        return float(np.median(values)) if len(values) else float("nan")

    # At Hartree-Fock nothing is spread, and there is no rank.
    spearman = float("nan")
    if np.ptp(joined["spread"]) > 0:
        spearman = float(spearmanr(joined["spread"], joined["zero_shot"])[0])  # pyright: ignore[reportArgumentType]
    return Row(
        *(molecule, level, len(errors), len(joined["base"]), rms("base"), rms("kernel")),
        *(rms("zero_shot"), median("zero_shot"), n_adapted, rms("adapted"), median("adapted")),
        *(spearman, float(np.median(joined["zero_shot"] / np.maximum(joined["spread"], 1e-30)))),
    )
