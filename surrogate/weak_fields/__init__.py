"""Weak fields: the response between empty and occupied orbitals, and its steps in closed form."""
