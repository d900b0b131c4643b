"""The runs by which the stated error is judged: drawn once, by chance, with a fixed seed.

The first 48 decks have shaped the estimate and its constants (`half` "fit"). The next 48 only test: they
were drawn with another seed once the constants stood. The next 50 are longer runs in weak fields ("weak"),
drawn once weak motion was followed by its modes; they only test, too. In the next 40 ("late") a kick comes
after some rest, or a second one along another axis. 20 ("oblique") lie at random in the coordinates,
and so in the grid, and run for 600 au. In the last 30 ("driven") a weak field lasts for most of the run.
"""

from dataclasses import dataclass

import numpy as np
from ase.build import molecule as shipped
from scipy.spatial.transform import Rotation

#: Name: atoms (Ångström), charge, multiplicity, basis sets, first strong line (Hartree, roughly).
MOLECULES = {
    "H2": ("H 0 0 0; H 0 0 0.74", 0, 1, ("6-31G", "aug-cc-pVDZ"), 0.50),
    "He": ("He 0 0 0", 0, 1, ("6-31G", "aug-cc-pVDZ"), 0.80),
    "HeH+": ("He 0 0 0; H 0 0 0.77", 1, 1, ("6-31G", "6-31G*"), 0.90),
    "LiH": ("Li 0 0 0; H 0 0 1.596", 0, 1, ("STO-3G", "6-31G"), 0.13),
    "BH": ("B 0 0 0; H 0 0 1.232", 0, 1, ("STO-3G", "6-31G"), 0.11),
    "FH": ("F 0 0 0; H 0 0 0.917", 0, 1, ("STO-3G", "3-21G"), 0.40),
    "H2O": ("O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692", 0, 1, ("STO-3G", "6-31G"), 0.33),
    "CO": ("C 0 0 0; O 0 0 1.128", 0, 1, ("STO-3G", "3-21G"), 0.33),
    "HCN": ("H 0 0 -1.066; C 0 0 0; N 0 0 1.153", 0, 1, ("STO-3G",), 0.35),
    "NH3": (
        "N 0 0 0.1; H 0.9377 0 -0.28; H -0.4689 0.8121 -0.28; H -0.4689 -0.8121 -0.28",
        0,
        1,
        ("STO-3G", "3-21G"),
        0.30,
    ),
    "OH-": ("O 0 0 0; H 0 0 0.964", -1, 1, ("6-31G", "6-31++G"), 0.20),
    "F-": ("F 0 0 0", -1, 1, ("6-31G", "6-31++G"), 0.50),
    "H3O+": ("O 0 0 0.08; H 0.94 0 -0.2; H -0.47 0.81 -0.2; H -0.47 -0.81 -0.2", 1, 1, ("STO-3G",), 0.50),
    "HCl": ("Cl 0 0 0; H 0 0 1.275", 0, 1, ("STO-3G", "3-21G"), 0.30),
    "HBr": ("Br 0 0 0; H 0 0 1.414", 0, 1, ("STO-3G",), 0.27),
    "Li": ("Li 0 0 0", 0, 2, ("6-31G",), 0.07),
    "NO": ("N 0 0 0; O 0 0 1.151", 0, 2, ("STO-3G",), 0.25),
    "NH2": ("N 0 0 0.1; H 0 0.8 -0.5; H 0 -0.8 -0.5", 0, 2, ("STO-3G", "3-21G"), 0.30),
    "H2O+": ("O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692", 1, 2, ("STO-3G",), 0.20),
    "NH": ("N 0 0 0; H 0 0 1.036", 0, 3, ("STO-3G", "6-31G"), 0.35),
}
#: Name: NWChem's directives, and how often it is drawn.
FUNCTIONALS = {
    "HF": ("xc hfexch", 3),
    "LDA": ("xc slater vwn_5", 2),
    "PBE": ("xc xpbe96 cpbe96", 2),
    "BLYP": ("xc becke88 lyp", 1),
    "B3LYP": ("xc b3lyp", 3),
    "PBE0": ("xc pbe0", 4),
    "CAM-B3LYP": (
        "xc xcamb88 1.00 lyp 0.81 vwn_5 0.19 hfexch 1.00\n  cam 0.33 cam_alpha 0.19 cam_beta 0.46",
        2,
    ),
    "TPSS": ("xc xtpss03 ctpss03", 1),
}
FIELDS = ("kick", "kick", "kick", "pulse", "resonant pulse", "cw", "two pulses", "kick and mocap")
TOLERANCES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
STEPS, TIME_STEPS = (40, 60, 80, 120, 160, 200, 300, 400), (0.1, 0.2, 0.2, 0.3)
DECKS, FIT, SEEDS = 96, 48, (13, 37)
#: Decks in weak fields, their seeds from here on, and numbers of steps.
WEAK_DECKS, WEAK_SEED, WEAK_STEPS = 50, 1000, (200, 400, 800)
LATE_DECKS, LATE_SEED = 40, 2000
DRIVEN_DECKS, DRIVEN_SEED = 30, 3000
#: Molecules of ASE, basis sets and functionals of the last 20 decks, and numbers of rotations.
OBLIQUE = (
    ("LiF", "3-21G", "PBE0", 7),
    ("BeH", "6-31G", "PBE0", 7),
    ("H2O", "6-31G", "PBE0", 1),
    ("NH3", "3-21G", "PBE0", 2),
    ("CH3OH", "3-21G", "PBE0", 3),
    ("HOCl", "3-21G", "B3LYP", 4),
    ("H2O2", "3-21G", "PBE", 5),
    ("N2H4", "3-21G", "PBE0", 6),
    ("HCOOH", "STO-3G", "PBE0", 7),
    ("CH3SH", "STO-3G", "PBE0", 9),
    ("CH2OCH2", "STO-3G", "B3LYP", 10),
    ("H2CO", "6-31G", "HF", 11),
    ("CH3CH2OH", "STO-3G", "PBE0", 12),
    ("CH3CONH2", "STO-3G", "PBE0", 13),
    ("CH3Cl", "3-21G", "BLYP", 14),
    ("LiH", "6-31G", "PBE0", 15),
    ("OH", "6-31G", "PBE0", 16),
    ("H2COH", "3-21G", "PBE0", 17),
    ("CH3CN", "STO-3G", "PBE0", 18),
    ("CH3CH2NH2", "STO-3G", "PBE0", 20),
)
#: Levels at which a network ships, and molecules that it knows.
NETWORK_MOLECULES = ("LiH", "FH", "H2O", "CO", "HCN", "NH3")


@dataclass(frozen=True)
class Case:
    """One deck and its runs.

    name: number, molecule, functional, field.
    text: the deck.
    half: fit or test.
    about: what it is, by kind, for tables.
    runs: (engine, surrogate, tolerance).
    """

    name: str
    text: str
    half: str
    about: dict[str, object]
    runs: tuple[tuple[str, str, float], ...]


def cases() -> list[Case]:
    """All of them, always the same."""
    fit, test = (np.random.default_rng(seed) for seed in SEEDS)
    drawn = [_case(number, fit if number < FIT else test) for number in range(DECKS)]
    late = [_late_case(number) for number in range(LATE_DECKS)]
    oblique = [_oblique_case(number) for number in range(len(OBLIQUE))]
    driven = [_driven_case(number) for number in range(DRIVEN_DECKS)]
    return drawn + [_weak_case(number) for number in range(WEAK_DECKS)] + late + oblique + driven


@dataclass(frozen=True)
class Level:
    """A molecule, its basis set and functional, by name."""

    molecule: str
    basis: str
    xc: str


def _level(random: np.random.Generator) -> Level:
    molecule = list(MOLECULES)[random.integers(len(MOLECULES))]
    weights = np.array([weight for _, weight in FUNCTIONALS.values()], dtype=float)
    xc = list(FUNCTIONALS)[random.choice(len(weights), p=weights / weights.sum())]
    sets = MOLECULES[molecule][3]
    return Level(molecule, sets[random.integers(len(sets))], xc)


def _weakly(
    number: int, half: str, level: Level, steps: tuple[int, float], kind_size: tuple[str, float], field: str
) -> Case:
    """A deck of `half` at two tolerances. steps: their number and length."""
    (n_steps, dt), (kind, size) = steps, kind_size
    atoms, charge, multiplicity, _, _ = MOLECULES[level.molecule]
    xc = FUNCTIONALS[level.xc][0]
    text = _deck(atoms, charge, multiplicity, level.basis, xc, n_steps, dt, field, kind)
    about: dict[str, object] = {"molecule": level.molecule, "basis": level.basis, "xc": level.xc}
    about |= {"field": kind, "size": size, "dt": dt, "steps": n_steps}
    runs = tuple(("pyscf", "response", TOLERANCES[(number + k) % 6]) for k in (0, 3))
    name = f"{half[0]}{number} {level.molecule} {level.basis} {level.xc} {kind}"
    return Case(name, text, half, about, runs)


def _weak_case(number: int) -> Case:
    """A kick, or a pulse that is over early, after which the motion stays weak."""
    random = np.random.default_rng(WEAK_SEED + number)
    level = _level(random)
    line = MOLECULES[level.molecule][4]
    n_steps, dt = int(random.choice(WEAK_STEPS)), float(random.choice(TIME_STEPS))
    axis = "xyz"[random.integers(3)]
    kind = "kick" if random.random() < 0.7 else "pulse"
    size = float(10.0 ** random.uniform(-5.0, -3.6))
    shape = f"type delta\n    polarization {axis}\n    max {size:.3e}"
    if kind == "pulse":
        size *= 0.5
        frequency = line if random.random() < 0.5 else float(random.uniform(0.08, 0.6))
        shape = _pulse(axis, size, frequency, 0.15 * n_steps * dt, n_steps * dt / 25)
    return _weakly(number, "weak", level, (n_steps, dt), (kind, size), _block("f", shape))


def _driven_case(number: int) -> Case:
    """A wave throughout, or one or two pulses, so weak that their motion is followed as weak."""
    random = np.random.default_rng(DRIVEN_SEED + number)
    level = _level(random)
    line = MOLECULES[level.molecule][4]
    n_steps, dt = int(random.choice(WEAK_STEPS[:2])), float(random.choice(TIME_STEPS))
    kind = ("cw", "pulse", "two pulses")[random.integers(3)]
    field, size = "", float(10.0 ** random.uniform(-6.5, -4.8))
    for k, axis in enumerate(random.permutation(list("xyz"))[: 1 + (kind == "two pulses")]):
        frequency = line if random.random() < 0.3 else float(random.uniform(0.05, 0.6))
        shape = f"type cw\n    polarization {axis}\n    max {size:.3e}\n    frequency {frequency:.3f}"
        if kind != "cw":
            shape = _pulse(axis, size, frequency, (0.3 + 0.3 * k) * n_steps * dt, n_steps * dt / 10)
        field += _block("fg"[k], shape)
    return _weakly(number, "driven", level, (n_steps, dt), (kind, size), field)


def _late_case(number: int) -> Case:
    """A kick after some rest, or an early one and a late one."""
    random = np.random.default_rng(LATE_SEED + number)
    level = _level(random)
    n_steps, dt = int(random.choice(WEAK_STEPS[:2])), float(random.choice(TIME_STEPS))
    kind = "late kick" if random.random() < 0.6 else "two kicks"
    axes, field = random.permutation(list("xyz")), ""
    size = float(10.0 ** random.uniform(-5.0, -1.5))
    centers = [n_steps * dt * random.uniform(0.05, 0.4)]
    if kind == "two kicks":
        centers.append(n_steps * dt * random.uniform(0.4, 0.9))
    for k, (center, axis) in enumerate(zip(centers, axes, strict=False)):
        lines = f"type delta\n    polarization {axis}\n    max {size:.3e}\n    center {center:.3f}"
        field += _block("fg"[k], lines)
    return _weakly(number, "late", level, (n_steps, dt), (kind, size), field)


def _oblique_case(number: int) -> Case:
    """3000 steps after a kick of 1e-4."""
    name, basis, xc, rotation = OBLIQUE[number]
    atoms = shipped(name)
    places = Rotation.random(random_state=rotation).apply(atoms.positions - atoms.positions.mean(axis=0))
    named = zip(atoms.get_chemical_symbols(), places, strict=True)
    geometry = "; ".join(f"{symbol} {x:.6f} {y:.6f} {z:.6f}" for symbol, (x, y, z) in named)
    multiplicity = round(abs(atoms.get_initial_magnetic_moments().sum())) + 1
    axis = "yzx"[number % 3]
    field = _block("f", f"type delta\n    polarization {axis}\n    max 1.000e-04")
    text = _deck(geometry, 0, multiplicity, basis, FUNCTIONALS[xc][0], 3000, 0.2, field, "kick")
    about: dict[str, object] = {"molecule": name, "basis": basis, "xc": xc, "field": "kick", "size": 1e-4}
    about |= {"dt": 0.2, "steps": 3000}
    return Case(f"o{number} {name} {basis} {xc} kick", text, "oblique", about, (("pyscf", "response", 1e-3),))


def _case(number: int, random: np.random.Generator) -> Case:
    weights = np.array([weight for _, weight in FUNCTIONALS.values()], dtype=float)
    network, nwchem = number % 8 in (3, 6), number % 12 in (4, 5)
    names = NETWORK_MOLECULES if network else tuple(MOLECULES)
    molecule = names[random.integers(len(names))]
    xc = list(FUNCTIONALS)[random.choice(len(weights), p=weights / weights.sum())]
    atoms, charge, multiplicity, sets, line = MOLECULES[molecule]
    basis = sets[random.integers(len(sets))]
    n_steps, dt = int(random.choice(STEPS)), float(random.choice(TIME_STEPS))
    kind = FIELDS[random.integers(len(FIELDS))]
    field, size = _field(kind, n_steps * dt, line, random)
    if network:
        xc, basis = "PBE0", "STO-3G"
    if nwchem:
        molecule = ("H2O", "LiH")[number // 12 % 2]
        atoms, charge, multiplicity, sets, line = MOLECULES[molecule]
        xc, basis, n_steps = ("HF", "PBE0")[number // 24 % 2], "STO-3G", min(n_steps, 80)
    tolerances = [TOLERANCES[(number + k) % 6] for k in (0, 2, 4)]
    runs = [("nwchem" if nwchem else "pyscf", "response", tolerance) for tolerance in tolerances]
    if network:
        runs += [("pyscf", name, t) for name in ("neural", "hybrid") for t in tolerances[:2]]
    text = _deck(atoms, charge, multiplicity, basis, FUNCTIONALS[xc][0], n_steps, dt, field, kind)
    about: dict[str, object] = {"molecule": molecule, "basis": basis, "xc": xc, "field": kind, "size": size}
    about |= {"dt": dt, "steps": n_steps}
    name = f"{number:02d} {molecule} {xc} {kind}"
    return Case(name, text, "fit" if number < FIT else "test", about, tuple(runs))


def _field(kind: str, duration: float, line: float, random: np.random.Generator) -> tuple[str, float]:
    """`field` blocks and their size."""
    axis = "xyz"[random.integers(3)]
    frequency = float(random.uniform(0.08, 0.6))
    if kind.startswith("kick"):
        size = float(10.0 ** random.uniform(-5.0, np.log10(0.2)))
        return _block("f", f"type delta\n    polarization {axis}\n    max {size:.3e}"), size
    size = float(10.0 ** random.uniform(-3.0, -1.3))
    if kind == "cw":
        return _block(
            "f", f"type cw\n    polarization {axis}\n    max {size:.3e}\n    frequency {frequency:.3f}"
        ), size
    if kind == "resonant pulse":
        frequency, size = line, 0.5 * size
    first = _pulse(axis, size, frequency, 0.35 * duration, duration / 9)
    if kind != "two pulses":
        return _block("f", first), size
    second = _pulse("xyz"[random.integers(3)], 0.5 * size, line, 0.7 * duration, duration / 12)
    return _block("f", first) + _block("g", second), size


def _pulse(axis: str, size: float, frequency: float, center: float, width: float) -> str:
    shape = f"center {center:.2f}\n    width {width:.2f}\n    max {size:.3e}"
    return f"type gaussian\n    polarization {axis}\n    frequency {frequency:.3f}\n    {shape}"


def _block(name: str, lines: str) -> str:
    return f'  field "{name}"\n    {lines}\n  end\n  excite "m" with "{name}"\n'


def _deck(
    atoms: str,
    charge: int,
    multiplicity: int,
    basis: str,
    xc: str,
    n_steps: int,
    dt: float,
    field: str,
    kind: str,
) -> str:
    geometry = "\n".join(f"  {atom.strip()}" for atom in atoms.split(";"))
    shell = f"  mult {multiplicity}\n  odft\n" if multiplicity > 1 else ""
    mocap = "  mocap\n    emin 0.5\n    maxval 0.5\n    on\n    nochecks\n  end\n" if "mocap" in kind else ""
    return f"""start run
charge {charge}
geometry "m" units angstroms nocenter noautosym noautoz
{geometry}
end
set geometry "m"
basis
  * library {basis}
end
dft
  {xc}
{shell}  convergence energy 1d-9 density 1d-7
  iterations 200
end
task dft energy
rt_tddft
  tmax {(n_steps + 0.5) * dt:.4f}
  dt {dt}
  tag "run"
{mocap}{field}  print dipole
end
task dft rt_tddft
"""
