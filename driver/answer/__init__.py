"""What a deck's runs come to: its lines."""
