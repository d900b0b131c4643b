"""What `import hybrid_propagate` offers; the commands for runs and spectra are thin over it."""
