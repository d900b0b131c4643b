"""The NWChem log: header and step blocks, written and read."""
