"""The deck of one kicked molecule, which most tests of the driver run with some line of their own."""

WATER = "  O 0.0 0.0 0.1173\n  H 0.0 0.7572 -0.4692\n  H 0.0 -0.7572 -0.4692"
HYDRIDE = "  Li 0 0 0\n  H 0 0 1.5949"

_DECK = """start {start}
{head}geometry "molecule" units angstroms nocenter noautosym noautoz
{atoms}
end
set geometry "molecule"
basis
  * library {basis}
end
dft
  xc {xc}
{dft}end
task dft energy
rt_tddft
  tmax {tmax}
  dt {dt}
{steps}  field "kick"
    type delta
    polarization {polarization}
    max {kick}
  end
  excite "molecule" with "kick"
{rest}end
task dft rt_tddft
"""


def kicked(
    atoms: str = WATER,
    *,
    tmax: float,
    start: str = "water",
    head: str = "",
    basis: str = "STO-3G",
    xc: str = "pbe0",
    dft: str = "",
    dt: float = 0.2,
    steps: str = "",
    polarization: str = "z",
    kick: float | str = 1e-4,
    rest: str = "",
) -> str:
    """Further lines: `head` ahead of the geometry, `dft` in that block, `steps` and `rest` in `rt_tddft`.

    Plain NWChem 7.0 needs a `print` line among those of `rt_tddft`.
    """
    lines = {
        name: f"{text}\n" if text else ""
        for name, text in (("head", head), ("dft", dft), ("steps", steps), ("rest", rest))
    }
    return _DECK.format(
        start=start,
        atoms=atoms,
        basis=basis,
        xc=xc,
        tmax=tmax,
        dt=dt,
        polarization=polarization,
        kick=kick,
        **lines,
    )


def pump(polarization: str, frequency: float, center: float, maximum: float) -> str:
    """Lines of `rest`: a field beside the kick, a Gaussian of 1 au."""
    return f"""  field "pump"
    type gaussian
    polarization {polarization}
    frequency {frequency}
    center {center}
    width 1.0
    max {maximum}
  end
  excite "molecule" with "pump"
"""
