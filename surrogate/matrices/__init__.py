"""Matrices packed, paired and turned: what several shelves above share."""
