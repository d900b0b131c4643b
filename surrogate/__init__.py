"""What stands in for the reference between its evaluations: the Fock response and its spread."""

import os

# ONNX Runtime, once loaded, would report on its use and leave a file in the user's cache folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
