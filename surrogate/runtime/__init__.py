"""Exported networks under ONNX Runtime."""
