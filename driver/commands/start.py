"""The commands as they are installed: signals are heard first, then the command's own module is imported."""

from collections.abc import Sequence

from ...atomic.entry import run_command


def propagate(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-propagate`."""
    return _run("propagate", arguments)


def spectrum(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-spectrum`."""
    return _run("spectrum", arguments)


def read(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-read`."""
    return _run("read", arguments)


def dataset(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-dataset`."""
    return _run("dataset", arguments)


def train(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-train`."""
    return _run("train", arguments)


def export(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-export`."""
    return _run("export", arguments)


def campaign(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-campaign`."""
    return _run("campaign", arguments)


def bench(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-bench`."""
    return _run("bench", arguments)


def warmstart(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-warmstart`."""
    return _run("warmstart", arguments)


def pump_probe(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-pump-probe`."""
    return run_command("hybrid-pump-probe", f"{__package__}.pump_probe", arguments)


def atomic(arguments: Sequence[str] | None = None) -> int:
    """`hybrid-atomic`."""
    return run_command("hybrid-atomic", "hybrid_propagate.atomic.commands.main", arguments)


def _run(command: str, arguments: Sequence[str] | None) -> int:
    return run_command(f"hybrid-{command}", f"{__package__}.{command}", arguments)
