"""The NWChem input deck, read into a system and tasks; refusals by file and line."""
