"""Decks whose pages tests look at: two fields in one deck, an open shell, and two kicks of one molecule."""

#: What a page must show as it stands, and no browser may carry out.
TITLE = "Water <script>document.title = 'broken'</script> & <b>'bold'</b></script><!--"

#: Two propagations: a kick with density snapshots, and a strong pulse, whose segments are rejected.
TWO_TASKS = f"""start water
title "{TITLE}"
geometry "water" units angstroms nocenter noautosym noautoz
  O 0.0 0.0 0.1173
  H 0.0 0.7572 -0.4692
  H 0.0 -0.7572 -0.4692
end
set geometry "water"
basis
  * library STO-3G
end
dft
  xc hfexch
end
task dft energy
rt_tddft
  tmax 60.0
  dt 0.2
  tag "kick"
  field "kick"
    type delta
    polarization z
    max 0.001
  end
  excite "water" with "kick"
  visualization
    tstart 10.0
    tend 12.0
  end
  print dipole
end
task dft rt_tddft
unset rt_tddft:*
rt_tddft
  tmax 30.0
  dt 0.2
  tag "pulse"
  field "pulse"
    type gaussian
    polarization y
    frequency 0.4
    center 12.0
    width 4.0
    max 0.05
  end
  excite "water" with "pulse"
  print dipole
end
task dft rt_tddft
"""

#: An open shell, for reference steps alone.
OPEN_SHELL = """start lithium
geometry "atom" units angstroms nocenter noautosym noautoz
  Li 0.0 0.0 0.0
end
set geometry "atom"
basis
  * library STO-3G
end
dft
  xc hfexch
  mult 2
end
task dft energy
rt_tddft
  tmax {tmax}
  dt 0.2
  field "wave"
    type cw
    polarization x
    frequency 0.07
    max 0.002
  end
  excite "atom" with "wave"
  print dipole
end
task dft rt_tddft
"""

#: Two kicks of one molecule, with excitations by linear response beside them.
TWO_KICKS = """start hydrogen
geometry "h2" units angstroms nocenter noautosym noautoz
  H 0.0 0.0 0.0
  H 0.0 0.0 0.74
end
set geometry "h2"
basis
  * library 6-31G**
end
dft
  xc hfexch
end
task dft energy
tddft
  nroots 5
  notriplet
end
task tddft energy
""" + "".join(
    f"""unset rt_tddft:*
rt_tddft
  tmax 60.0
  dt 0.2
  tag "kick_{axis}"
  field "kick"
    type delta
    polarization {axis}
    max 0.001
  end
  excite "h2" with "kick"
  print dipole
end
task dft rt_tddft
"""
    for axis in "xz"
)
