"""A run's files in the formats of other programs."""
