"""What stands in for the reference between its evaluations: the Fock response and its spread."""
