"""The charge of a nucleus: point, sphere or Fermi."""
