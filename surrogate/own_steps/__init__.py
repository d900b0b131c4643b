"""A surrogate that makes whole Magnus steps by a graph in ONNX Runtime."""
