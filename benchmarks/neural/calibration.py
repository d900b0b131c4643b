"""Whether the ensemble's spread tells its error: rank correlation, calibration, failures that it misses.

    python benchmarks/neural/calibration.py WEIGHTS DATA PICTURE

The factor between spread and error, and the threshold of the spread above which a prediction counts as
doubtful, are set on the validation geometries of training molecules; test geometries and held-out molecules
are then measured with them. A failure is a relative error of ΔF above `--failure`; the threshold is the
that misses none of the validation's.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from hybrid_propagate.surrogate.samples.pairs_file import read_pairs
from hybrid_propagate.surrogate.training.evaluate import file_errors, load_model
from scipy.stats import spearmanr


def main() -> int:
    """Print the figures and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--failure", type=float, default=0.05)
    options = parser.parse_args()
    model, about = load_model(options.weights)
    levels = about["levels"]
    assert isinstance(levels, list)
    paths = sorted(p for level in levels for p in (options.data / "pairs").glob(f"*_{level}.h5"))
    groups: dict[str, list[np.ndarray]] = {"validation": [], "test": [], "held-out molecules": []}
    for path in paths:
        held_out = bool(read_pairs(path).attributes["held_out"])
        for split in ("validation", "test"):
            errors = file_errors(model, path, str(about["base"]), split, 0, 0.02)
            group = groups["held-out molecules" if held_out else split]
            group += [np.stack([e.spread, e.zero_shot]) for e in errors]
    joined = {name: np.concatenate(parts, axis=1) for name, parts in groups.items() if parts}
    spread, error = joined["validation"]
    factor = float(np.median(error / spread))
    threshold = float(spread[error > options.failure].min(initial=np.inf))
    print(f"error over spread, median on validation: {factor:.2f}")
    print(f"threshold of the spread for failures above {options.failure}: {threshold:.4f}")
    print("| pairs of | pairs | Spearman | failures | missed | doubted |\n|---|---|---|---|---|---|")
    figure, axes = plt.subplots(figsize=(5, 4.5), layout="constrained")
    for name, (spread, error) in joined.items():
        failed, doubted = error > options.failure, spread >= threshold
        missed = float((failed & ~doubted).mean())
        rank = float(spearmanr(spread, error)[0])
        shares = " | ".join(f"{100 * share:.1f} %" for share in (failed.mean(), missed, doubted.mean()))
        print(f"| {name} | {len(error)} | {rank:.2f} | {shares} |")
        if name != "validation":
            axes.loglog(factor * spread, error, ".", markersize=3, label=name)
    low, high = axes.get_xlim()
    axes.plot([low, high], [low, high], color="0.5", linewidth=1)
    axes.set(xlabel="calibrated spread", ylabel="relative error of ΔF")
    axes.legend(frameon=False)
    figure.savefig(options.picture, dpi=130)
    return 0


if __name__ == "__main__":
    sys.exit(main())
