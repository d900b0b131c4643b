"""NWChem itself: its process, its decks, its binary files, its ordering of functions."""
