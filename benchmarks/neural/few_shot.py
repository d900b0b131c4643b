"""Few-shot adaptation: errors at geometries not adapted to, from the pairs that 5 and 10 trajectories
visited.

    OMP_NUM_THREADS=1 python benchmarks/neural/few_shot.py training/shipped/weights.pt datasets/training

Prints a Markdown table, relative errors of ΔF in percent, root mean square over geometries: of the pairs
that trajectories visited there, and of all linear pairs (rotations in any direction as well). *plain*:
steepest descent from the weights as they are; *meta*: with learned start and step sizes; both after as many
steps as were meta-trained, and after as many as `hybrid-train adapt` takes, which geometries left out
decide: *steps*, none if adaptation does harm. Of training molecules, trajectories are of training geometries
and measured are the others; of held-out ones, trajectories are the first, measured are all other geometries.
"""

import argparse
import sys
from pathlib import Path

import torch
from hybrid_propagate.surrogate.network.response_model import ResponseModel
from hybrid_propagate.surrogate.training.evaluate import load_model
from hybrid_propagate.surrogate.training.few_shot import GeometryLatents, geometries, mean_error, steepest
from hybrid_propagate.surrogate.training.kernel_samples import linear_samples
from hybrid_propagate.surrogate.training.molecule_adaptation import adaptation, elsewhere, learned_from

TRAJECTORIES = (5, 10)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--molecules", nargs="+", default=["HCN", "H2CO", "C2H2", "H2O", "NH3"])
    options = parser.parse_args()
    model, about = load_model(options.weights)
    learned = learned_from(options.weights)
    if learned is None:
        sys.exit(f"{options.weights}: trained without few_shot")
    levels = about["levels"]
    assert isinstance(levels, list)
    few = len(learned.factors)
    ways = ("zero-shot", f"plain, {few}", f"meta, {few}", "plain, steps", "meta, steps")
    known = [f"{of}: {way}" for of in ("visited", "all") for way in ways]
    print(f"| molecule | trajectories | pairs | steps | {' | '.join(known)} |")
    print("|---" * (4 + len(known)) + "|", flush=True)
    for name in options.molecules:
        path = options.data / "pairs" / f"{name}_{levels[0]}.h5"
        _print_rows(model, learned, path, name, str(about["base"]))
    return 0


def _print_rows(model: ResponseModel, learned, path: Path, name: str, base: str) -> None:
    visited, every = (linear_samples(path, None, base, kind) for kind in ("trajectory", None))
    trained = linear_samples(path, "train", base)
    plain = steepest(model.decoder, len(learned.factors))
    for n in TRAJECTORIES:
        support = [k for k in visited if k in trained or not trained][:n]
        chosen = [visited[k] for k in support]
        measured = [k for k in every if k not in support and k not in trained]
        known = geometries(model, chosen)
        others = [
            geometries(model, [samples[k] for k in measured if k in samples]) for samples in (visited, every)
        ]
        errors = elsewhere(model, learned, chosen, known, lambda line: None)
        assert errors is not None
        steps = int(errors.argmin())
        ways = [adaptation(model, way, known) for way in (plain, learned)]
        few = len(learned.factors)
        tried = [ways[1][0], *(way[count] for count in (few, steps) for way in ways)]
        cells = [f"{100 * _rms(model, weights, of):.2f}" for of in others for weights in tried]
        pairs = sum(sample.q.shape[1] for sample in chosen)
        print(f"| {name} | {n} | {pairs} | {steps} | {' | '.join(cells)} |", flush=True)


def _rms(model: ResponseModel, weights: torch.Tensor, known: GeometryLatents) -> float:
    return float(mean_error(model.decoder, weights, known).mean().sqrt())


if __name__ == "__main__":
    sys.exit(main())
