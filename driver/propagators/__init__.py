"""One step of a density in time."""
