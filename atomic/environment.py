"""What libraries look for around them, settled before any of them is loaded.

PySCF runs a file `.pyscf_conf.py` of the working folder, which may be a deck's that somebody sent; only one
that the user has named, or that lies in his home folder, is left to it. ONNX Runtime reports on its use, and
leaves a file in the user's cache folder.
"""

import os

_NOTHING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_pyscf_settings.py")


def settle() -> None:
    """Set the environment of this process; called as the package is imported."""
    home = os.environ.get("HOME", "")
    named = os.environ.get("PYSCF_CONFIG_FILE", "")
    own = os.path.join(home, ".pyscf_conf.py") if os.path.isabs(home) else ""
    wanted = (path for path in (named, own) if os.path.isfile(path))
    os.environ["PYSCF_CONFIG_FILE"] = next(wanted, _NOTHING)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
