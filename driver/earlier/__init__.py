"""What an earlier run of the same name left, and whether a run can go on from it."""
