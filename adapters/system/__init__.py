"""What is propagated: geometry, basis, functional, field, real-time settings."""
