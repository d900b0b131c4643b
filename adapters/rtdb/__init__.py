"""What `restart` finds of an earlier run: NWChem's run-time database, or the record of one of our own."""
