"""What a run writes as it goes: log, stored trajectory, checks, progress."""
