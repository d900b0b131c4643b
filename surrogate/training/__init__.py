"""Training, evaluation and export, in torch."""
