"""One atom: radial mesh, functionals, solver, configurations. Knows nothing of molecules."""
