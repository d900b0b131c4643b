"""The response kernel by formula: Coulomb, exchange, exchange-correlation."""
