"""Surrogates that learn within a run, or from an earlier one."""
