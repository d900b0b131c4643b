"""Few-shot adaptation: its gradients, its steps, what meta-training is worth, and the command."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hybrid_propagate.driver.commands.train import main
from hybrid_propagate.surrogate.matrices.atom_pairs import atom_pairs
from hybrid_propagate.surrogate.matrices.symmetric_pairs import unpack_symmetric
from hybrid_propagate.surrogate.network.geometry_encoder import GeometryEncoderShape
from hybrid_propagate.surrogate.network.response_decoder import ResponseDecoder, assemble_kernel
from hybrid_propagate.surrogate.network.response_model import ResponseModel, saved
from hybrid_propagate.surrogate.samples.pairs_file import ResponsePairs, read_pairs, write_pairs
from hybrid_propagate.surrogate.training.config import FewShotConfig
from hybrid_propagate.surrogate.training.evaluate import load_model
from hybrid_propagate.surrogate.training.few_shot import (
    GeometryLatents,
    Learned,
    adapted,
    geometries,
    mean_error,
    read_outs,
    set_read_outs,
    squared_errors,
    steepest,
)
from hybrid_propagate.surrogate.training.few_shot_task import FewShotTask, MoleculeGeometries
from hybrid_propagate.surrogate.training.kernel_samples import geometry_pairs, linear_samples
from hybrid_propagate.surrogate.training.trainer import Schedule, train
from small_model import CONFIG
from torch import Tensor

LEVEL = "pbe0_sto-3g"
TOKENS, N_TOKENS, ATOMS = "3x0e + 2x1o", 9, 2


@pytest.fixture
def decoder() -> ResponseDecoder:
    """In double precision and with few tokens; e3nn keeps constants as it was built."""
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    try:
        decoder = ResponseDecoder(GeometryEncoderShape((1,), "4x0e + 2x1o", 1, 5.0), TOKENS, 2, 4, 8)
    finally:
        torch.set_default_dtype(torch.float32)
    set_read_outs(decoder, 0.1 * torch.randn_like(read_outs(decoder)))
    return decoder


def family(decoder: ResponseDecoder, true: Tensor, seed: int, count: int, pairs: int = 3) -> GeometryLatents:
    """Geometries of random latents whose responses are those of the read-outs `true`, B orthonormal."""
    rng = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng, dtype=torch.float64)

    own = random(count, ATOMS, decoder.own.irreps_out.dim)
    bond = random(count, ATOMS * (ATOMS - 1), decoder.own.irreps_out.dim)
    # Members have equal read-outs: one kernel is all of them.
    kernel = _kernel(decoder, true, own, bond)[0]
    # Orthonormal changes: their projector is its own square, and the form's either factor.
    changes = torch.linalg.qr(random(count, ATOMS * N_TOKENS, pairs))[0]
    seen, share = changes @ changes.mT, 1 / (ATOMS * N_TOKENS * pairs)
    gram = share * torch.eye(ATOMS * N_TOKENS, dtype=torch.float64).expand(count, -1, -1)
    size = share * (kernel @ changes).square().sum((1, 2))
    return GeometryLatents(own, bond, (seen, share * seen @ kernel, gram, size))


def _kernel(decoder: ResponseDecoder, weights: Tensor, own: Tensor, bond: Tensor) -> Tensor:
    """By the decoder itself, with its weights set and set back."""
    before = read_outs(decoder)
    set_read_outs(decoder, weights)
    pairs = torch.as_tensor(atom_pairs(np.full(len(own), ATOMS)))
    with torch.no_grad():
        blocks = decoder.read(own.flatten(0, 1), bond.flatten(0, 1))
    set_read_outs(decoder, before)
    return assemble_kernel(*blocks, pairs, ATOMS)


def task(decoder: ResponseDecoder, seed: int) -> Tensor:
    """Read-outs of a molecule: far from those at hand along two directions that all molecules share."""
    rng = torch.Generator().manual_seed(1)
    width = read_outs(decoder).shape[1]
    few = torch.randperm(width, generator=rng)[: width // 8]
    centre = torch.zeros(width, dtype=torch.float64)
    centre[few] = torch.randn(len(few), generator=rng, dtype=torch.float64)
    rng = torch.Generator().manual_seed(100 + seed)
    own = torch.zeros(width, dtype=torch.float64)
    own[few] = torch.randn(len(few), generator=rng, dtype=torch.float64)
    return (0.3 * centre + 0.3 * own).expand(decoder.members, -1)


def test_zero_error_at_the_truth_and_read_outs_survive(decoder: ResponseDecoder) -> None:
    true = task(decoder, 0)
    known = family(decoder, true, 0, 3)
    torch.testing.assert_close(
        squared_errors(decoder, true, known), torch.zeros(2, 3).double(), atol=1e-9, rtol=0
    )
    before = read_outs(decoder)
    assert float(squared_errors(decoder, before, known).min()) > 1e-3
    set_read_outs(decoder, true)
    assert torch.equal(read_outs(decoder), true)
    set_read_outs(decoder, before)


def test_every_step_goes_where_the_support_error_is_least(decoder: ResponseDecoder) -> None:
    known = family(decoder, task(decoder, 0), 1, 4)
    plain = steepest(decoder, 4)
    errors = [
        squared_errors(decoder, weights, known).mean(1)
        for weights in (plain.start, *adapted(decoder, plain, known, graph=False))
    ]
    assert all(bool((after < before).all()) for before, after in pairwise(errors))
    for factor in (0.9, 1.1):
        [missed] = adapted(decoder, replace(plain, factors=plain.factors[:1] * factor), known, graph=False)
        assert bool((squared_errors(decoder, missed, known).mean(1) > errors[1]).all())


def test_rates_decide_which_weights_move(decoder: ResponseDecoder) -> None:
    known = family(decoder, task(decoder, 0), 1, 4)
    plain = steepest(decoder, 2)
    rates = plain.rates.clone()
    rates[:, ::2] = 0.0
    moved = adapted(decoder, replace(plain, rates=rates), known, graph=False)[-1] != plain.start
    assert not bool(moved[:, ::2].any())
    assert bool(moved[:, 1::2].any())


def test_meta_gradients_are_finite_differences(decoder: ResponseDecoder) -> None:
    """Of the error at other geometries after two steps: start, rates and factors, along random directions."""
    true = task(decoder, 0)
    support, query = family(decoder, true, 2, 3), family(decoder, true, 3, 2)
    plain = steepest(decoder, 2)
    torch.manual_seed(0)
    given = [plain.start, torch.exp(0.3 * torch.randn_like(plain.rates)), plain.factors * 0.8]

    def loss(values: Sequence[Tensor], graph: bool) -> Tensor:
        weights = adapted(decoder, Learned(*values), support, graph)[-1]
        return squared_errors(decoder, weights, query).sqrt().mean()

    inputs = [value.clone().requires_grad_() for value in given]
    gradients = torch.autograd.grad(loss(inputs, True), inputs)
    for which, gradient in enumerate(gradients):
        along = torch.randn_like(given[which])
        along /= along.norm()
        ends = []
        for sign in (1, -1):
            moved = list(given)
            moved[which] = moved[which] + sign * 1e-4 * along
            ends.append(float(loss(moved, False).detach()))
        assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(float((gradient * along).sum()), rel=1e-5)


def test_meta_training_makes_adaptation_better_elsewhere(decoder: ResponseDecoder, tmp_path: Path) -> None:
    """Molecules not met, five geometries with one pair each, five others: against steepest descent, as many
    steps."""
    numbers, untrained = np.arange(12), read_outs(decoder)
    known = [family(decoder, task(decoder, seed), seed, 12, 1) for seed in range(6)]
    molecules = [MoleculeGeometries(of, numbers, of, numbers) for of in known]
    learning = FewShotTask(decoder, molecules, FewShotConfig(batch=1, updates=2))
    train(learning, Schedule(40, 0.02, 0.0, "float32", 100, 0), tmp_path, lambda step, values: None)
    left = []
    for seed in (20, 21, 22):
        true = task(decoder, seed)
        support, others = (family(decoder, true, seed + by, 5, 1) for by in (0, 50))
        errors = [mean_error(decoder, untrained, others).mean().sqrt()]
        for learned in (steepest(decoder, 2), learning.learned()):
            weights = adapted(decoder, learned, support, graph=False)[-1]
            errors.append(mean_error(decoder, weights, others).mean().sqrt())
        left.append([float(error) for error in errors])
    zero, plain, meta = np.mean(left, axis=0)
    assert plain < zero
    assert meta < 0.8 * plain
    # The network itself is as it was.
    assert torch.equal(read_outs(decoder), untrained)


def test_draws_keep_what_is_measured_apart(decoder: ResponseDecoder) -> None:
    known = family(decoder, task(decoder, 0), 0, 12)
    some = known.take([1, 3, 5, 7, 9, 11])
    molecule = MoleculeGeometries(some, np.array([1, 3, 5, 7, 9, 11]), known, np.arange(12))
    learning = FewShotTask(decoder, [molecule], FewShotConfig(steps=1, batch=8))
    for draw in learning.draw(0, np.random.default_rng(0)):
        assert 5 <= len(draw.support) <= 6
        assert len(draw.query) == 4
        assert not set(molecule.visited_numbers[list(draw.support)]) & set(draw.query)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an untrained network: nothing fits yet."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights.pt"
    trained_on = {"levels": [LEVEL], "base": "mean-field", "elements": [1, 9]}
    torch.save({**saved(ResponseModel(CONFIG)), "trained_on": trained_on}, path)
    return path


def test_the_command_adapts_and_measures(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three geometries of hydrogen fluoride: what it says of others is what leaving each out gives; a fourth
    gains."""
    content = read_pairs(data / "pairs" / f"HF_{LEVEL}.h5")
    write_pairs(tmp_path / "three.h5", _part(content, [0, 1, 2]))
    output = tmp_path / "adapted.pt"
    arguments = ["adapt", str(weights), "--data", str(tmp_path / "three.h5"), "--output", str(output)]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(output)
    lines = said.err.strip().splitlines()
    assert re.fullmatch(r"HF: \d+ pairs of 3 geometries", lines[0])
    assert lines[1:4] == [f"leaving out part {k} of 3" for k in (1, 2, 3)]
    here, elsewhere = ([float(x) for x in re.findall(r"([\d.]+) %", line)] for line in lines[4:])
    assert here[1] < here[0]
    assert elsewhere[1] < elsewhere[0]
    model, about = load_model(output)
    assert about["adapted_to"] == "HF"
    assert about["elements"] == [1, 9]
    write_pairs(tmp_path / "fourth.h5", _part(content, [3]))
    before = load_model(weights)[0]
    three = geometries(before, list(linear_samples(tmp_path / "three.h5", None).values()))
    steps = int(re.findall(r"after (\d+) steps", lines[4])[0])
    left = []
    for k in range(3):
        others = three.take([other for other in range(3) if other != k])
        there = adapted(before.decoder, steepest(before.decoder, 1), others, graph=False, rounds=steps)[-1]
        left.append(float(mean_error(before.decoder, there, three.take([k]))))
    assert elsewhere[1] == pytest.approx(100 * np.sqrt(np.mean(left)), abs=0.01)
    errors = []
    for network in (before, model):
        known = geometries(network, list(linear_samples(tmp_path / "fourth.h5", None).values()))
        errors.append(100 * float(mean_error(network.decoder, read_outs(network.decoder), known).sqrt()))
    assert errors[1] < errors[0]


def test_adaptation_that_does_harm_is_not_written(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two geometries that contradict each other: what is missing in one is too much in the other."""
    path = data / "pairs" / f"HF_{LEVEL}.h5"
    content = read_pairs(path)
    fock = content.pairs.fock.copy()
    for k, sign in ((0, 1.0), (1, -1.0)):
        pairs = geometry_pairs(path, content, k)
        n = fock.shape[-1]
        fock[content.pairs.geometry == k, 0] = unpack_symmetric((1 + 0.2 * sign) * pairs.base_x, n)
    bad = replace(content, pairs=replace(content.pairs, fock=fock))
    write_pairs(tmp_path / "bad.h5", _part(bad, [0, 1]))
    output = tmp_path / "adapted.pt"
    assert main(["adapt", str(weights), "--data", str(tmp_path / "bad.h5"), "--output", str(output)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"left as they are: .* % where these miss by [\d.]+ %$", said.err.strip())
    assert not output.exists()


def test_one_geometry_cannot_tell_of_others(
    weights: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor can two trajectories of it."""
    content = read_pairs(data / "pairs" / f"HF_{LEVEL}.h5")
    for name in ("a", "b"):
        write_pairs(tmp_path / f"{name}_pairs.h5", _part(content, [0]))
    output = tmp_path / "adapted.pt"
    assert main(["adapt", str(weights), "--data", str(tmp_path), "--output", str(output)]) == 0
    assert "at other geometries: unknown" in capsys.readouterr().err
    assert output.exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["nowhere.h5"], "No such file"),
        (["."], "no files of response pairs"),
        ([f"pairs/HF_{LEVEL}.h5", f"pairs/H2_{LEVEL}.h5"], "one at a time"),
        ([f"pairs/LiH_{LEVEL}.h5"], "no room for the element of number 3"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(
    files: list[str],
    message: str,
    weights: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = torch.load(weights, weights_only=True)
    small = ResponseModel(replace(CONFIG, elements=(1, 9)))
    torch.save({**without, **saved(small)}, tmp_path / "weights.pt")
    given = [str((tmp_path if name == "." else data) / name) for name in files]
    assert main(["adapt", str(tmp_path / "weights.pt"), "--data", *given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "weights_adapted.pt").exists()


def _part(content: ResponsePairs, numbers: list[int]) -> ResponsePairs:
    """Some geometries of a file."""
    kept = np.isin(content.pairs.geometry, numbers)
    rows = {name: value[kept] for name, value in vars(content.pairs).items() if value is not None}
    rows["geometry"] = np.searchsorted(numbers, rows["geometry"])
    places = {name: value[numbers] for name, value in vars(content.geometries).items()}
    return replace(
        content,
        geometries=replace(content.geometries, **places),
        pairs=replace(content.pairs, **rows),
    )
