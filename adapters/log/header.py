"""The sections of NWChem's log ahead of the time-dependent lines: same titles, same data, same order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..system import Field, Geometry, RealTime, System
from ..system.formula import kind_word, shell_words
from ..system.geometry import ANGSTROM_PER_BOHR
from ..system.real_time import Quantity
from ..system.system import n_functions
from .units import EV_PER_AU, FS_PER_AU, V_PER_NM_PER_AU

#: Who wrote the log; said under the titles of its sections.
NOTE = "Log in NWChem's format, written by hybrid-propagate"
_METHODS = {
    "magnus": "2nd order Magnus w/ self-consistent interpolation",
    "rk4": "4th order Runge-Kutta",
    "euler": "Euler",
}
_EXPONENTIALS = {"pseries": "Adaptive contractive power series", "diag": "Diagonalization"}
#: NWChem's words and order for what is printed; it does not list dipole contributions and convergence.
_QUANTITIES: tuple[tuple[Quantity, str], ...] = (
    *(("dipole", "dipole"), ("quadrupole", "quadrupole"), ("field", "field"), ("moocc", "moocc")),
    *(("energy", "energy"), ("cputime", "cputime"), ("charge", "charge"), ("s2", "<S^2>")),
    ("magnetic", "magnetic moment"),
)


@dataclass(frozen=True, eq=False)
class GroundStateSummary:
    """Energies of a converged ground state, Hartree."""

    total: float
    one_electron: float
    coulomb: float
    exchange_correlation: float
    nuclear_repulsion: float


@dataclass(frozen=True, eq=False)
class PropagationSummary:
    """What the header tells beyond the system and the `rt_tddft` block; au.

    total_energy: of the converged ground state.
    n_basis, n_orbitals: basis functions, and those left after linear dependencies are dropped.
    functions: basis functions of each of `System.geometries`.
    center_of_mass: (3,); dipole, quadrupole: largest |element| of the three and six matrices.
    occupations, orbital_energies: (n_spin, n_orbitals) of the starting orbitals.
    """

    total_energy: float
    n_basis: int
    n_orbitals: int
    functions: Sequence[int]
    center_of_mass: np.ndarray
    dipole: Sequence[float]
    quadrupole: Sequence[float]
    occupations: np.ndarray
    orbital_energies: np.ndarray


def ground_state_section(title: str, system: System, n_basis: int, energies: GroundStateSummary) -> str:
    """The `NWChem Input Module` and `NWChem DFT Module` sections of a converged ground state.

    Programs that read NWChem's logs know one by the package's name, hence the line with that.
    """
    lines = [
        *("", f" {NOTE}", ""),
        *(" Northwest Computational Chemistry Package (NWChem) is whose format this is", "", ""),
        *(_centred("NWChem Input Module", 40), "", "", _centred(title, 40), "", ""),
        *_coordinates(system.geometry),
        *_basis_summary(system),
        *("", "", _centred("NWChem DFT Module", 40), "", "", _centred(title, 40, underlined=False), "", ""),
        *_general_information(system, n_basis),
        *("", ""),
        f"         Total DFT energy ={energies.total:22.12f}",
        f"      One electron energy ={energies.one_electron:22.12f}",
        f"           Coulomb energy ={energies.coulomb:22.12f}",
        f"    Exchange-Corr. energy ={energies.exchange_correlation:22.12f}",
        f" Nuclear repulsion energy ={energies.nuclear_repulsion:22.12f}",
        *("", ""),
    ]
    return "\n".join(lines) + "\n"


def _coordinates(geometry: Geometry) -> list[str]:
    """Nuclei in ångström, as NWChem prints a geometry block."""
    heading = f'Geometry "{geometry.name}" -> ""'
    rows = zip(geometry.tags, geometry.charges, geometry.positions * ANGSTROM_PER_BOHR, strict=True)
    return [
        _centred(heading, 40),
        "",
        " Output coordinates in angstroms (scale by  1.889725989 to convert to a.u.)",
        "",
        "  No.       Tag          Charge          X              Y              Z",
        " ---- ---------------- ---------- -------------- -------------- --------------",
        *(
            f"{k:5d} {tag:16s} {charge:10.4f} {x:14.8f} {y:14.8f} {z:14.8f}"
            for k, (tag, charge, (x, y, z)) in enumerate(rows, start=1)
        ),
        "",
    ]


def _basis_summary(system: System) -> list[str]:
    """Shells and functions of each tag, as NWChem prints the basis in force."""
    rows = []
    for tag in dict.fromkeys(system.geometry.tags):
        shells = system.basis[tag]
        n_shells = sum(len(shell[-1]) - 1 for shell in shells)
        n = n_functions(shells, system.spherical)
        rows.append(f" {tag:27s} {'deck':13s} {n_shells:12d} {n:8d}   {shell_words(system.basis[tag])}")
    return [
        f' Summary of "ao basis" -> "ao basis" ({kind_word(system)})',
        " " + "-" * 78,
        "       Tag                 Description            Shells   Functions and Types",
        " ---------------- ------------------------------  ------  ---------------------",
        *rows,
        *("", ""),
    ]


def propagation_header(
    title: str, note: str, system: System, real_time: RealTime, summary: PropagationSummary
) -> str:
    """Everything from `NWChem Real-Time TDDFT Module` to the line before the first time-dependent one.

    note: one line that tells who wrote the log, printed under the module's title.
    """
    shell = "Open-shell" if system.open_shell else "Closed-shell"
    banner = f"* {shell} RT-TDDFT *"
    lines = [
        *("", "", _centred("NWChem Real-Time TDDFT Module", 40), ""),
        f" {note}",
        *("", _centred(title, 40, underlined=False), "", ""),
        "  The DFT is already converged ",
        "",
        f"         Total DFT energy ={summary.total_energy:20.12f}",
        "",
        *_general_information(system, summary.n_basis),
        *("", f" {'*' * len(banner)}", f" {banner}", f" {'*' * len(banner)}", "", ""),
        *_geometries(system, summary),
        *_system_parameters(system),
        *_propagation_parameters(real_time),
        *_tolerances(real_time),
        *_output_parameters(real_time),
        *_matrices(summary),
        *_fields(real_time),
        *("", ""),
        _centred(f"{shell[:-6]} shell propagation", 40),
        *_orbitals(summary),
        "",
    ]
    return "\n".join(lines) + "\n"


def _centred(text: str, column: int, underlined: bool = True) -> str:
    """Text around a column, as NWChem prints titles."""
    indent = " " * max(column - len(text) // 2 + 1, 0)
    return f"{indent}{text}\n{indent}{'-' * len(text)}" if underlined else f"{indent}{text}"


def _number(value: float) -> str:
    return f"{value:.4E}"


def _general_information(system: System, n_basis: int) -> list[str]:
    n_alpha, n_beta = system.electrons
    return [
        _centred("General Information", 20),
        "          SCF calculation type: DFT",
        f"          Wavefunction type:  {'spin polarized' if system.open_shell else 'closed shell'}.",
        f"          No. of atoms     : {system.geometry.n_atoms:5d}",
        f"          No. of electrons : {n_alpha + n_beta:5d}",
        f"           Alpha electrons : {n_alpha:5d}",
        f"            Beta electrons : {n_beta:5d}",
        f"          Charge           : {system.charge:5d}",
        f"          Spin multiplicity: {system.multiplicity:5d}",
        f"          AO basis - number of functions: {n_basis:5d}",
        "",
        _centred("XC Information", 20),
        f"          {system.functional.directive}",
        *(
            []
            if system.functional.pyscf == "HF"
            else [f"          Grid used for XC integration:  {system.grid}"]
        ),
    ]


def _geometries(system: System, summary: PropagationSummary) -> list[str]:
    lines = [
        " Geometry               Atoms      Basis func.   Nuc. charge          Nuc. dip. mom.",
        " " + "-" * 89,
    ]
    active, n_basis = system.geometry, summary.n_basis
    for geometry, functions in zip(system.geometries, summary.functions, strict=True):
        dipole = geometry.charges @ geometry.positions
        lines.append(
            f"{' *' if geometry.name == active.name else '  '}{geometry.name:16s}"
            f"{geometry.n_atoms:6d} ({100 * geometry.n_atoms // active.n_atoms:3d}% )"
            f"{functions:6d} ({100 * functions // n_basis:3d}% )  {geometry.charges.sum():8.2f}  "
            + "".join(f"{x:10.2f}" for x in dipole)
        )
    dropped = n_basis - summary.n_orbitals
    return [
        *lines,
        "",
        "=============== Geometry Initialization ===============",
        f'  Active geometry: "{active.name}"',
        f"  Found {dropped} linear dependencies." if dropped else "  No linear dependencies",
        f"  Number of atomic orbitals    = {n_basis}",
        f"  Number of molecular orbitals = {summary.n_orbitals}",
        "=======================================================",
    ]


def _system_parameters(system: System) -> list[str]:
    n_alpha, n_beta = system.electrons
    return [
        *("", "", _centred("System parameters", 20)),
        f"     No. atoms              : {system.geometry.n_atoms}",
        f"     Wavefunction type      : {'spin polarized' if system.open_shell else 'restricted'}",
        f"     No. alpha electrons    : {n_alpha}",
        f"     No. beta electrons     : {n_beta}",
        f"     Total no. electrons    : {n_alpha + n_beta}",
        f"     System charge          : {system.charge}",
    ]


def _propagation_parameters(real_time: RealTime) -> list[str]:
    tmax, dt = real_time.tmax, real_time.dt
    return [
        *("", "", _centred("Propagation parameters", 30)),
        f"     End time (tmax)       : {_number(tmax)} au = {_number(tmax * FS_PER_AU)} fs",
        f"     Time step (dt)        : {_number(dt)} au = {_number(dt * FS_PER_AU)} fs",
        f"     No. time steps (nt)   : {real_time.n_points}",
        # The misspelling is NWChem's, and readers look for it.
        f"     Progagation method    : {_METHODS[real_time.propagator]}",
        f"     Exponentiation method : {_EXPONENTIALS[real_time.exponential]}",
    ]


def _tolerances(real_time: RealTime) -> list[str]:
    return [
        *("", "", _centred("Tolerances", 28)),
        f"     Zero / comparison / check tolerance  : {_number(real_time.tolerances.zero)}",
        f"     Series convergence tolerance         : {_number(real_time.tolerances.series)}",
        f"     Interpolation convergence tolerance  : {_number(real_time.tolerances.interpol)}",
        "     Reqd no. zero terms in series        : 3",
        "     Reqd no. zero terms in interpolation : 1",
    ]


def _output_parameters(real_time: RealTime) -> list[str]:
    words = ["messages", *(word for quantity, word in _QUANTITIES if quantity in real_time.quantities)]
    levels = {
        1: "1 (checkpoints only)",
        2: "2 (checkpoints; symmetries in each Fock build)",
        3: "3 (checkpoints; symmetries in each Fock build; unitarity of each step)",
    }
    return [
        *("", "", _centred("Output and checking parameters", 30)),
        f"     Quantites to print : {', '.join(words)}",
        f"     No. print points   : {_points(real_time.n_prints, real_time.n_points)}",
        f"     No. checks         : {_points(real_time.n_checks, real_time.n_points)}",
        f"     No. restart points : {_points(real_time.n_restarts, real_time.n_points)}",
        f"     Checking level     : {levels[real_time.check_level]}",
        f"     Profiling          : {'Yes' if real_time.profile else 'No'}",
    ]


def _points(asked: int, n_points: int) -> str:
    n = min(asked, n_points)
    return f"{n} (once every {n_points // n} time steps)" if n > 0 else "None"


def _matrices(summary: PropagationSummary) -> list[str]:
    center = ", ".join(f"{x:11.4E}" for x in summary.center_of_mass)
    names = ("D_x", "D_y", "D_z", "Q_xx", "Q_xy", "Q_xz", "Q_yy", "Q_yz", "Q_zz")
    norms = zip(names, (*summary.dipole, *summary.quadrupole), strict=True)
    return [
        *("", "", _centred("Dipole and quadrupole matrices", 15)),
        f"     Center of mass = ({center})",
        *(f"     {f'norm[{name}]':10s} = {_number(norm)}" for name, norm in norms),
    ]


def _fields(real_time: RealTime) -> list[str]:
    lines = ["", "", _centred("Applied fields", 15)]
    for field in real_time.fields:
        volts = _number(field.maximum * V_PER_NM_PER_AU)
        lines += [
            *("", f'               "{field.name}"', f"     Type            : {field.shape}"),
            f"     Polarization    : {_polarization(field)}",
            f"     Field maximum   : {_number(field.maximum)} au = {volts} V/nm",
        ]
        if field.shape == "cw":
            energy = _number(field.frequency * EV_PER_AU)
            lines.append(f"     Field frequency : {_number(field.frequency)} au = {energy} eV")
    if not real_time.fields:
        lines.append("     (none specified)")
    lines += ["", "", _centred("Excitation rules", 15)]
    lines += [f'     Excite geometry "{rule.geometry}" with "{rule.field}"' for rule in real_time.excitations]
    return lines if real_time.excitations else [*lines, "     (none specified--system will not be excited)"]


def _polarization(field: Field) -> str:
    axes = {(1.0, 0.0, 0.0): "x", (0.0, 1.0, 0.0): "y", (0.0, 0.0, 1.0): "z"}
    return axes.get(field.direction, "angle") if field.angles is None else "angle"


def _orbitals(summary: PropagationSummary) -> list[str]:
    lines: list[str] = []
    for occupations, energies in zip(summary.occupations, summary.orbital_energies, strict=True):
        rows = enumerate(zip(occupations, energies, strict=True), start=1)
        lines += [
            *("", "   Vector      Occupation     Eigenvalue [au]", " " + "-" * 44),
            *(f"{k:10d}{occupation:12.2f}{energy:22.8E}" for k, (occupation, energy) in rows),
        ]
    return lines
