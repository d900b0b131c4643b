"""The hybrid loop: reference and surrogate steps, the controller between them."""
