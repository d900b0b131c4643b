"""ONNX Runtime sessions on the device that was asked for, or none.

`onnxruntime.get_available_providers()` lists what a build was compiled with, not what works here; a session
whose provider cannot be loaded quietly runs on the CPU. So the session itself is asked what it uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...adapters.regular_file import check_regular
from ...atomic.errors import BadInput
from ...atomic.threads import threads_in_use

if TYPE_CHECKING:
    import onnxruntime

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
_CPU, _CUDA, _TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
#: Providers of a device, the wanted one first, then what takes over the operations that it lacks.
_PROVIDERS = {"cpu": [_CPU], "cuda": [_CUDA, _CPU], "tensorrt": [_TENSORRT, _CUDA, _CPU]}
#: ONNX Runtime's own messages: errors come as exceptions, and what failed to load is said here.
_FATAL_ONLY = 4


class DeviceError(BadInput):
    """A device that cannot be used. One line."""


class GraphError(BadInput):
    """A file that is no graph, or is not there. One line."""


def open_session(path: Path, device: Device, *, once: bool = False) -> onnxruntime.InferenceSession:
    """A session that runs on `device`; `auto`: CUDA where it works, else the CPU.

    once: the graph runs once, and is not worth optimising, which takes longer. CPU threads: those in
    use (`atomic/threads.py`). Raises DeviceError where the device is not really used, and GraphError.
    """
    try:
        check_regular(path)
    except OSError as error:
        raise GraphError(f"{path}: {error.strerror}") from error
    try:
        return _on_device(str(path), device, once=once)
    except DeviceError:
        raise
    except Exception as error:
        # ONNX Runtime raises types of its own, all of them for files that it cannot run.
        raise GraphError(f"{path}: {str(error).splitlines()[0]}") from error


def open_model(content: bytes, device: Device) -> onnxruntime.InferenceSession:
    """The same for a graph of double precision in memory, which is this program's own."""
    check_device(device)
    return _on_device(content, device, once=False)


def check_device(device: Device) -> None:
    """Refuse a device that graphs of double precision cannot have here. Raises DeviceError."""
    if device == "tensorrt":
        raise DeviceError("--device tensorrt: has no double precision; accepted: auto, cpu, cuda")
    if device == "cuda" and _CUDA not in (built := _built()):
        raise DeviceError(
            f"--device cuda: ONNX Runtime has {', '.join(built)} here; onnxruntime-gpu has {_CUDA}"
        )


def _on_device(graph: str | bytes, device: Device, *, once: bool) -> onnxruntime.InferenceSession:
    if device == "auto":
        return _session(graph, "cuda" if _CUDA in _built() else "cpu", once)
    session = _session(graph, device, once)
    wanted = _PROVIDERS[device][0]
    if wanted not in session.get_providers():
        built = "" if wanted in _built() else "; onnxruntime-gpu has it"
        used = ", ".join(session.get_providers())
        raise DeviceError(f"--device {device}: ONNX Runtime uses {used} here, not {wanted}{built}")
    return session


def _session(graph: str | bytes, device: str, once: bool) -> onnxruntime.InferenceSession:
    """graph: its path, or the file's content."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    if once:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads_in_use()
    providers = [name for name in _PROVIDERS[device] if name in _built()]
    return onnxruntime.InferenceSession(graph, options, providers=providers)


def _built() -> list[str]:
    """Providers that ONNX Runtime was compiled with. It is loaded where a graph runs: not by most runs."""
    import onnxruntime

    return onnxruntime.get_available_providers()
