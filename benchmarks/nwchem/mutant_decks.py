"""Small decks that between them have most directives; NWChem 7.0.2 runs all of them."""

_TIGHT = "convergence energy 1d-9 density 1d-8 gradient 1d-7"
#: By the name after `start`.
DECKS = {
    "kick": f"""start kick
title "a kick"
echo
memory 400 mb
charge 0
geometry "m" units angstroms nocenter noautosym noautoz print xyz
  H 0.0 0.0 0.0
  H 0.0 0.0 0.74 charge 1.0
end
set geometry "m"
basis "ao basis" cartesian
  * library STO-3G
end
dft
  xc hfexch
  mult 1
  direct
  noio
  sym off
  adapt off
  tolerances tol_rho 1d-11 acccoul 11
  {_TIGHT}
  iterations 60
  vectors input atomic output kick.movecs
  noprint "mulliken ao"
end
task dft energy
rt_tddft
  tmax 1.3
  dt 0.2
  tag "kick_z"
  load vectors kick.movecs
  nchecks 2
  nprints *
  nrestarts 0
  checklvl 1
  tolerances zero 1d-9 series 1d-11 interpol 1d-8
  propagator magnus
  exp pseries
  field "k"
    type delta
    polarization z
    max 0.002
    center 0.0
  end
  excite "m" with "k"
  print dipole field energy quadrupole charge convergence
end
task dft rt_tddft
""",
    "pulse": f"""start pulse
geometry "whole" units au nocenter noautosym
  symmetry c1
  Li 0.0 0.0 0.1
  H 0.2 0.0 3.0
end
set geometry "whole"
basis spherical
  Li S
    16.119575 0.15432897
    2.9362007 0.53532814
    0.7946505 0.44463454
  Li SP
    0.6362897 -0.09996723 0.15591627
    0.1478601 0.39951283 0.60768372
    0.0480887 0.70011547 0.39195739
  H library H STO-3G
  H P
    0.9 1.0
end
dft
  xc HFexch 1.0
  {_TIGHT} diis 8
end
task dft
rt_tddft
  tmax 1d0
  dt 1.25d-1
  nchecks 0
  field pulse
    type gaussian
    polarization angle 30.0 45.0
    max 0.02
    frequency 0.3
    phase 0.5
    center 0.5
    width 0.3
  end
  field other
    type cw
    polarization x
    max -0.01
    frequency 0.2
  end
  excite whole with pulse
  excite whole with other
  print dipole energy field
end
task dft rt_tddft
""",
    "open": f"""start open
charge 1
geometry nocenter noautosym
  zmatrix
    O
    H 1 r
    H 1 r 2 a
    variables
    r 0.98
    constants
    a 105.0
  end
end
set geometry geometry
basis
  O library STO-3G
  H library STO-3G
end
scf
  doublet
  uhf
  thresh 1e-6
end
dft
  odft
  mult 2
  xc hfexch
  {_TIGHT}
  maxiter 80
end
task dft energy
unset rt_tddft:*
rt_tddft
  tmax 0.8
  dt 0.1
  nprints 4
  nchecks *
  field "up"
    type hann
    polarization y
    spin alpha
    max 0.03
    frequency 0.4
    center 0.4
    width 0.6
  end
  excite "geometry" with "up"
  print dipole s2 charge energy
end
task dft rt_tddft
""",
    "fragment": f"""start fragment
geometry "left" units bohr nocenter noautosym
  He 0 0 0
end
geometry "both" units bohr nocenter noautosym
  He 0 0 0
  H 0 0 3.2
  H 0 0 4.6
end
set geometry "both"
basis
  * library 3-21G except H
  H library STO-3G
end
dft
  xc hfexch
  {_TIGHT}
  semidirect memsize 1000000 filesize 0
end
task dft energy
rt_tddft
  tmax 0.9
  dt 0.15
  nchecks 3
  propagator rk4
  field "k"
    type sin2ramp
    polarization z
    max 0.01
    frequency 0.25
    width 0.5
    start 0.1
  end
  excite "left" with "k"
  print dipole charge field
end
task dft rt_tddft
""",
    "functional": """start functional
geometry "m" nocenter noautosym
  H 0 0 0
  F 0 0 0.92
end
set geometry "m"
basis
  * library STO-3G
end
dft
  xc pbe0
  grid fine
  convergence energy 1d-9 density 1d-7
end
task dft energy
rt_tddft
  tmax 0.8
  dt 0.2
  field "k"
    type delta
    polarization z
    max 0.01
  end
  excite "m" with "k"
  static
  print dipole energy
end
task dft rt_tddft
""",
}
