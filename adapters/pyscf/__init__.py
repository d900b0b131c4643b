"""The embedded engine: integrals, quadrature, ground states by PySCF."""
