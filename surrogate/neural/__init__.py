"""The networks: training in torch and export. ONNX Runtime runs them, in the room above."""
