"""Runs whose reference is an NWChem process."""
