"""The radial Kohn-Sham equations of one atom: mesh, functionals, eigenstates, self-consistency."""
