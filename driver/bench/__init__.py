"""`hybrid-bench`: cases, methods, tables, figures."""
