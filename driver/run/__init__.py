"""One deck from options to summary."""
