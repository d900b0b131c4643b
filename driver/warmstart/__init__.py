"""Starting densities for a self-consistent run, chosen and measured."""
