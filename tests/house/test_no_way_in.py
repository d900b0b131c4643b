"""Nothing that is read is ever run: no pickle, no evaluation, no HDF5 opened past the check, no telemetry."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("atomic", "adapters", "surrogate", "driver")
    for path in (ROOT / folder).glob("**/*.py")
)
#: A pattern, and the files that may hold it.
FORBIDDEN = {
    r"weights_only\s*=\s*False": (),
    r"torch\.load\(": ("surrogate/training/tensor_file.py",),
    r"^\s*(import|from) (pickle|shelve|marshal|dill|joblib|cloudpickle)\b(?! import UnpicklingError)": (),
    r"allow_pickle\s*=\s*True": (),
    r"np\.load\((?!.*allow_pickle=False)": (),
    r"(?<![.\w])(eval|exec|__import__)\(": (),
    r"yaml\.(load|unsafe_load|full_load)\(": (),
    r"gto\.loads\(|\.loads_\(|chkfile": (),
    r"h5py\.File\([^\n]*\"r\"\)|h5py\.File\(\w+\)": ("adapters/files/plain_hdf5.py",),
    r"\bshell\s*=\s*True|os\.system\(|os\.popen\(": (),
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_file_runs_what_it_reads(pattern: str) -> None:
    found = {
        str(path.relative_to(ROOT)) for path in SOURCES if re.search(pattern, path.read_text(), re.MULTILINE)
    }
    assert found == set(FORBIDDEN[pattern])


def test_only_the_surrogate_loads_onnx_runtime() -> None:
    """Its package switches telemetry off before."""
    found = {path.relative_to(ROOT).parts[0] for path in SOURCES if "import onnxruntime" in path.read_text()}
    assert found == {"surrogate"}


def test_onnx_runtime_leaves_no_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "from pathlib import Path\n"
        "from hybrid_propagate.surrogate.runtime.session import open_session\n"
        "open_session(next(Path('surrogate/weights').glob('**/*.onnx')), 'cpu')\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment = clean | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(home.iterdir()) == []
