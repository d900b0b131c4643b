"""The default surrogate as ONNX graphs: whole Magnus steps of a batch of trajectories."""
