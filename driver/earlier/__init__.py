"""What an earlier run of the same name left: gone on from, kept, never lost."""
