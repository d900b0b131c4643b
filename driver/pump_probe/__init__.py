"""Pump and probe by branch points: one pump, and a short probe from its states at every delay."""
