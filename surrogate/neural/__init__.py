"""The networks: their training in torch and their export. What runs them (ONNX Runtime) is in the room above."""
