"""`hybrid-atomic`: its subcommands, its prompt and what they print."""
