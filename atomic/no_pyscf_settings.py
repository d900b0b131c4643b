"""PySCF's settings where the user has none: nothing. PySCF runs this file, see `environment`."""
