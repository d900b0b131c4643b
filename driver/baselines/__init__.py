"""What other methods make of the same signal or the same ground state."""
