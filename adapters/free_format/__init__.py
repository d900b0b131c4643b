"""NWChem's free-format input: lines and fields, refusals by file and line, words to no effect."""
