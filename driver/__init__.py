"""The loop, the controller, checkpoints, spectra, and the command lines."""
