"""NWChem's `xc` directive as a PySCF (libxc) functional description.

NWChem adds weighted terms; each of its words is given here as the libxc functionals that make the same
energy. `local` and `nonlocal` pick a term's LDA part or the rest of it. Gradient corrections of correlation
given without any local correlation bring their own (perdew86: perdew81; perdew91 and cpbe96: pw91lda), as in
NWChem. Each word was compared with NWChem: total energies of water, or of hydrogen fluoride, agree to 1e-5
Hartree with 7.0.2, or with 7.2.3 where 7.0.2 lacks the word. Words for which they do not (scan, hse03, kt1,
...) are NWChem's alone. Exchange parts of Minnesota functionals bring their exact exchange in NWChem, but for
xm06 and xm06-hf.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...atomic.errors import BadInput
from ..free_format.lines import real, suggestion
from ..system import Functional


@dataclass(frozen=True)
class Attenuation:
    """`cam`: exact exchange enters with the operator (alpha + beta erf(omega r)) / r."""

    omega: float
    alpha: float
    beta: float


@dataclass(frozen=True)
class Term:
    """One NWChem word that takes a weight.

    total, local: libxc names of the whole and of its LDA part. completed_by: for gradient corrections of
    correlation, the local correlation that NWChem adds when the deck names none.
    """

    total: str
    local: str | None = None
    completed_by: str | None = None
    is_local_correlation: bool = False


def _local(name: str) -> Term:
    return Term(name, name, is_local_correlation=True)


#: Words with an optional `local`/`nonlocal` and an optional weight.
TERMS: Mapping[str, Term] = {
    "slater": Term("LDA_X", "LDA_X"),
    "becke88": Term("GGA_X_B88", "LDA_X"),
    "xpbe96": Term("GGA_X_PBE", "LDA_X"),
    "revpbe": Term("GGA_X_PBE_R", "LDA_X"),
    "rpbe": Term("GGA_X_RPBE", "LDA_X"),
    "xperdew91": Term("GGA_X_PW91_MOD", "LDA_X"),
    "mpw91": Term("GGA_X_MPW91", "LDA_X"),
    "gill96": Term("GGA_X_G96", "LDA_X"),
    "becke86b": Term("GGA_X_B86_MGC", "LDA_X"),
    "xperdew86": Term("GGA_X_PW86", "LDA_X"),
    "xtpss03": Term("MGGA_X_TPSS"),
    "xpkzb99": Term("MGGA_X_PKZB"),
    "xncap": Term("GGA_X_NCAP"),
    "xn12": Term("GGA_X_N12"),
    "xsogga": Term("GGA_X_SOGGA"),
    "xsogga11": Term("GGA_X_SOGGA11"),
    "xm06-l": Term("MGGA_X_M06_L"),
    "xm11-l": Term("MGGA_X_M11_L"),
    "xvs98": Term("MGGA_X_GVT4"),
    "xr2scan": Term("MGGA_X_R2SCAN"),
    "vwn_1": _local("LDA_C_VWN_1"),
    "vwn_2": _local("LDA_C_VWN_2"),
    "vwn_3": _local("LDA_C_VWN_3"),
    "vwn_4": _local("LDA_C_VWN_4"),
    "vwn_5": _local("LDA_C_VWN"),
    "vwn_1_rpa": _local("LDA_C_VWN_RPA"),
    "perdew81": _local("LDA_C_PZ"),
    "pw91lda": _local("LDA_C_PW_MOD"),
    "lyp": Term("GGA_C_LYP", is_local_correlation=True),
    "perdew86": Term("GGA_C_P86", "LDA_C_PZ", "perdew81"),
    "perdew91": Term("GGA_C_PW91", "LDA_C_PW_MOD", "pw91lda"),
    "cpbe96": Term("GGA_C_PBE", "LDA_C_PW_MOD", "pw91lda"),
    "ctpss03": Term("MGGA_C_TPSS"),
    "cpkzb99": Term("MGGA_C_PKZB"),
    "bc95": Term("MGGA_C_BC95", is_local_correlation=True),
    "cvpbe09": _local("GGA_C_REGTPSS"),
    "cn12": _local("GGA_C_N12"),
    "cm05": _local("MGGA_C_M05"),
    "cm05-2x": _local("MGGA_C_M05_2X"),
    "cm06": _local("MGGA_C_M06"),
    "cm06-l": _local("MGGA_C_M06_L"),
    "cm06-2x": _local("MGGA_C_M06_2X"),
    "cm06-hf": _local("MGGA_C_M06_HF"),
    "cm08-hx": _local("MGGA_C_M08_HX"),
    "cm08-so": _local("MGGA_C_M08_SO"),
    "cm11": _local("MGGA_C_M11"),
    "cm11-l": _local("MGGA_C_M11_L"),
    "csogga11": _local("GGA_C_SOGGA11"),
    "csogga11-x": _local("GGA_C_SOGGA11_X"),
    "cvs98": _local("MGGA_C_VSXC"),
}

_B3: dict[str, float] = {"HF": 0.2, "LDA_X": 0.08, "GGA_X_B88": 0.72}

#: Words that stand for a whole functional and take no weight.
COMBINATIONS: Mapping[str, Mapping[str, float]] = {
    "b3lyp": {**_B3, "GGA_C_LYP": 0.81, "LDA_C_VWN_RPA": 0.19},
    "b3p86": {**_B3, "LDA_C_VWN_RPA": 1.0, "GGA_C_P86": 0.81, "LDA_C_PZ": -0.81},
    "b3pw91": {**_B3, "LDA_C_PW_MOD": 0.19, "GGA_C_PW91": 0.81},
    "bhlyp": {"HF": 0.5, "GGA_X_B88": 0.5, "GGA_C_LYP": 1.0},
    "beckehandh": {"HF": 0.5, "LDA_X": 0.5, "LDA_C_PW_MOD": 0.5},
    "pbe0": {"HF": 0.25, "GGA_X_PBE": 0.75, "GGA_C_PBE": 1.0},
    "pbe96": {"GGA_X_PBE": 1.0, "GGA_C_PBE": 1.0},
    "mpw1k": {"HF": 0.428, "GGA_X_MPW91": 0.572, "GGA_C_PW91": 1.0},
    "optx": {"GGA_X_OPTX": 1.0},
    "bop": {"GGA_X_B88": 1.0, "GGA_C_OP_B88": 1.0},
    "pbeop": {"GGA_X_PBE": 1.0, "GGA_C_OP_PBE": 1.0},
    "ft97": {"GGA_X_FT97_B": 1.0, "GGA_C_FT97": 1.0},
    "sogga": {"GGA_X_SOGGA": 1.0, "GGA_C_PBE": 1.0},
    "sogga11": {"GGA_X_SOGGA11": 1.0, "GGA_C_SOGGA11": 1.0},
    "sogga11-x": {"HYB_GGA_X_SOGGA11_X": 1.0, "GGA_C_SOGGA11_X": 1.0},
    "ncap": {"GGA_X_NCAP": 1.0, "GGA_C_P86": 1.0},
    "hcth": {"GGA_XC_HCTH_93": 1.0},
    "hcth120": {"GGA_XC_HCTH_120": 1.0},
    "hcthp14": {"GGA_XC_HCTH_P14": 1.0},
    "hcth407p": {"GGA_XC_HCTH_407P": 1.0},
    "becke97": {"HYB_GGA_XC_B97": 1.0},
    "becke97-1": {"HYB_GGA_XC_B97_1": 1.0},
    "becke97-2": {"HYB_GGA_XC_B97_2": 1.0},
    "becke97-3": {"HYB_GGA_XC_B97_3": 1.0},
    "becke97gga1": {"GGA_XC_B97_GGA1": 1.0},
    "becke98": {"HYB_GGA_XC_SB98_2C": 1.0},
    "xctpssh": {"HYB_MGGA_XC_TPSSH": 1.0},
    "b1b95": {"HYB_MGGA_XC_B88B95": 1.0},
    "bb1k": {"HYB_MGGA_XC_BB1K": 1.0},
    "mpw1b95": {"HYB_MGGA_XC_MPW1B95": 1.0},
    "mpwb1k": {"HYB_MGGA_XC_MPWB1K": 1.0},
    "pw6b95": {"HYB_MGGA_XC_PW6B95": 1.0},
    "pwb6k": {"HYB_MGGA_XC_PWB6K": 1.0},
    "vs98": {"MGGA_X_GVT4": 1.0, "MGGA_C_VSXC": 1.0},
    "m05": {"HYB_MGGA_X_M05": 1.0, "MGGA_C_M05": 1.0},
    "m05-2x": {"HYB_MGGA_X_M05_2X": 1.0, "MGGA_C_M05_2X": 1.0},
    "m06": {"HYB_MGGA_X_M06": 1.0, "MGGA_C_M06": 1.0},
    "m06-l": {"MGGA_X_M06_L": 1.0, "MGGA_C_M06_L": 1.0},
    "m06-2x": {"HYB_MGGA_X_M06_2X": 1.0, "MGGA_C_M06_2X": 1.0},
    "m06-hf": {"HYB_MGGA_X_M06_HF": 1.0, "MGGA_C_M06_HF": 1.0},
    "revm06": {"HYB_MGGA_X_REVM06": 1.0, "MGGA_C_REVM06": 1.0},
    "revm06-l": {"MGGA_X_REVM06_L": 1.0, "MGGA_C_REVM06_L": 1.0},
    "m08-hx": {"HYB_MGGA_X_M08_HX": 1.0, "MGGA_C_M08_HX": 1.0},
    "m08-so": {"HYB_MGGA_X_M08_SO": 1.0, "MGGA_C_M08_SO": 1.0},
    "m11": {"HYB_MGGA_X_M11": 1.0, "MGGA_C_M11": 1.0},
    "m11-l": {"MGGA_X_M11_L": 1.0, "MGGA_C_M11_L": 1.0},
    "rscan": {"MGGA_X_RSCAN": 1.0, "MGGA_C_RSCAN": 1.0},
    "dldf": {"HYB_MGGA_X_DLDF": 1.0, "MGGA_C_DLDF": 1.0},
    "n12": {"GGA_X_N12": 1.0, "GGA_C_N12": 1.0},
    "xm06": {"HYB_MGGA_X_M06": 1.0, "HF": -0.27},
    "xm06-hf": {"HYB_MGGA_X_M06_HF": 1.0, "HF": -1.0},
    "xm06-2x": {"HYB_MGGA_X_M06_2X": 1.0},
    "xsogga11-x": {"HYB_GGA_X_SOGGA11_X": 1.0},
    "xm08-hx": {"HYB_MGGA_X_M08_HX": 1.0},
    "xm08-so": {"HYB_MGGA_X_M08_SO": 1.0},
    "n12-sx": {"HYB_GGA_X_N12_SX": 1.0, "GGA_C_N12_SX": 1.0},
    "mn12-l": {"MGGA_X_MN12_L": 1.0, "MGGA_C_MN12_L": 1.0},
    "mn12-sx": {"HYB_MGGA_X_MN12_SX": 1.0, "MGGA_C_MN12_SX": 1.0},
    "m06-sx": {"HYB_MGGA_X_M06_SX": 1.0, "MGGA_C_M06_SX": 1.0},
    "mn15": {"HYB_MGGA_X_MN15": 1.0, "MGGA_C_MN15": 1.0},
    "mn15-l": {"MGGA_X_MN15_L": 1.0, "MGGA_C_MN15_L": 1.0},
    "revm11": {"HYB_MGGA_X_REVM11": 1.0, "MGGA_C_REVM11": 1.0},
    "r2scan": {"MGGA_X_R2SCAN": 1.0, "MGGA_C_R2SCAN": 1.0},
    "r2scan0": {"HF": 0.25, "MGGA_X_R2SCAN": 0.75, "MGGA_C_R2SCAN": 1.0},
    "wb97": {"HYB_GGA_XC_WB97": 1.0},
    "wb97x": {"HYB_GGA_XC_WB97X": 1.0},
    "wb97x-d3": {"HYB_GGA_XC_WB97X_D3": 1.0},
}

#: Exchange that `cam` attenuates: (full range, its short-range part).
ATTENUATED: Mapping[str, tuple[str, str]] = {
    "xcamb88": ("GGA_X_B88", "GGA_X_ITYH"),
    "xcampbe96": ("GGA_X_PBE", "GGA_X_ITYH_PBE"),
    "xcamlsd": ("LDA_X", "LDA_X_ERF"),
    "xwpbe": ("GGA_X_PBE", "GGA_X_HJS_PBE"),
}


_PBE: dict[str, float] = {"GGA_X_PBE": 1.0, "GGA_C_PBE": 1.0}
_PBE0: dict[str, float] = {"HF": 0.25, "GGA_X_PBE": 0.75, "GGA_C_PBE": 1.0}

#: Words that NWChem propagates and libxc has no equal for, with something near them in its place.
ONLY_NWCHEM: Mapping[str, Mapping[str, float]] = {
    **dict.fromkeys(("scan", "scanl", "becke97-d", "kt1", "kt2", "ssb-d", "s12g", "mvs", "hle16"), _PBE),
    **dict.fromkeys(("hcth147", "hcth147@tz2p", "hcth407", "r2scanl"), _PBE),
    **dict.fromkeys(("hse03", "acm", "s12h", "cam-s12g", "cam-s12h", "scan0"), _PBE0),
    "xft97": {"GGA_X_PBE": 1.0},
    "xmvs15": {"GGA_X_PBE": 1.0},
    "xscan": {"GGA_X_PBE": 1.0},
    "cft97": {"GGA_C_PBE": 1.0},
    "cscan": {"GGA_C_PBE": 1.0},
    "xbnl07": {"LDA_X": 1.0},
}

#: Words that NWChem 7.2 has and 7.0 has not, or does not converge with; and one that 7.2 has no more.
SINCE_7_2 = frozenset(
    (
        *("xscan", "cscan", "r2scan", "r2scan0", "r2scanl", "xr2scan", "revm11", "mn12-l", "mn12-sx"),
        *("m06-sx", "mn15", "mn15-l", "n12", "xn12", "n12-sx", "wb97", "wb97x", "wb97x-d3", "hcth147@tz2p"),
    )
)
UNTIL_7_0 = frozenset({"hcth147"})

_COMMON = (
    "hfexch",
    "slater",
    "vwn_5",
    "becke88",
    "lyp",
    "xpbe96",
    "cpbe96",
    "pbe0",
    "b3lyp",
    "bhlyp",
    "xcamb88",
)


class FunctionalError(BadInput):
    """The words cannot be carried out; the text says which and why."""


@dataclass
class _Mixture:
    """Weights by libxc name, `HF` among them, and what decides about default local correlation.

    short_range: of exact exchange with the operator erfc(omega r) / r alone.
    """

    weights: dict[str, float] = field(default_factory=dict)
    has_local_correlation: bool = False
    incomplete: list[tuple[str, float]] = field(default_factory=list)
    attenuated: list[tuple[str, float]] = field(default_factory=list)
    stand_in: bool = False
    short_range: float = 0.0

    def add(self, name: str, weight: float) -> None:
        self.weights[name] = self.weights.get(name, 0.0) + weight


def accepted_words() -> list[str]:
    """Every word of `xc` that is carried out by either reference code."""
    return ["hfexch", "srhfexch", *TERMS, *COMBINATIONS, *ATTENUATED]


def unknown_word(directive: str, version: str) -> str | None:
    """The word of a functional that NWChem of a version (`7.0.2`) does not know, and which version does."""
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    missing, known = (SINCE_7_2, "7.2 and later know") if number < (7, 2) else (UNTIL_7_0, "7.0 knows")
    word = next((word for word in directive.split() if word in missing), None)
    return word and f"xc {word}: NWChem {known} it, and this one is {version}"


def functional(
    words: tuple[str, ...], cam: Attenuation | None = None, *, with_nwchem: bool = False
) -> Functional:
    """Functional of the words behind `xc`, with the `cam` line in force, if any.

    with_nwchem: accept words that only NWChem has. Raises FunctionalError for other words and combinations of
    words that have no equal in libxc.
    """
    mixture = _Mixture()
    rest = [word.lower() for word in words]
    while rest:
        if with_nwchem and rest[0] in ONLY_NWCHEM:
            _take_stand_in(rest, mixture)
        else:
            _take_word(rest, mixture)
    _complete_correlation(mixture)
    if mixture.attenuated and cam is None:
        raise FunctionalError(f"{mixture.attenuated[0][0]} needs a cam line behind the xc line")
    if mixture.short_range and (cam is None or (cam.alpha, cam.beta) != (0.0, 1.0)):
        raise FunctionalError("srhfexch needs a line cam <omega> cam_alpha 0.0 cam_beta 1.0")
    if mixture.short_range and mixture.weights.get("HF"):
        raise FunctionalError("srhfexch beside hfexch is not carried out")
    if cam is not None and cam.alpha != 0.0 and any(word == "xwpbe" for word, _ in mixture.attenuated):
        raise FunctionalError("xwpbe is carried out with cam_alpha 0 only")
    exact = mixture.weights.pop("HF", 0.0)
    for word, weight in mixture.attenuated:
        full, short = ATTENUATED[word]
        assert cam is not None
        mixture.add(full, weight * (1.0 - cam.alpha - cam.beta))
        mixture.add(short, weight * cam.beta)
    directive = " ".join(_written(word) for word in words)
    if cam is not None:
        directive += f" cam {cam.omega:.12g} cam_alpha {cam.alpha:.12g} cam_beta {cam.beta:.12g}"
    return Functional(directive, _description(exact, cam, mixture), mixture.stand_in)


def _written(word: str) -> str:
    """A word of a directive that has been read, as NWChem's deck gets it."""
    from ..free_format.lines import real

    value = real(word)
    return word.lower() if value is None else f"{value:.12g}"


def _description(exact: float, cam: Attenuation | None, mixture: _Mixture) -> str:
    """PySCF's `exchange, correlation` description."""
    terms = {name: weight for name, weight in mixture.weights.items() if abs(weight) > 1e-14}
    if exact == 1.0 and cam is None and not terms:
        return "HF"
    exchange = _exact_exchange(exact, cam)
    if mixture.short_range and cam is not None:
        exchange.append(f"{mixture.short_range:.12g}*SR_HF({cam.omega:.12g})")
    exchange += [f"{weight:.12g}*{name}" for name, weight in terms.items() if "_C_" not in name]
    correlation = [f"{weight:.12g}*{name}" for name, weight in terms.items() if "_C_" in name]
    if not exchange and not correlation:
        raise FunctionalError("xc names no functional")
    return f"{' + '.join(exchange)}, {' + '.join(correlation)}".strip()


def _take_stand_in(rest: list[str], mixture: _Mixture) -> None:
    near, weight = ONLY_NWCHEM[rest.pop(0)], 1.0
    if rest and (given := real(rest[0])) is not None:
        rest.pop(0)
        weight = given
    for name, share in near.items():
        mixture.add(name, weight * share)
    mixture.stand_in = mixture.has_local_correlation = True


def _take_word(rest: list[str], mixture: _Mixture) -> None:
    word = rest.pop(0)
    if word in COMBINATIONS:
        for name, weight in COMBINATIONS[word].items():
            mixture.add(name, weight)
        mixture.has_local_correlation |= any("C_" in name for name in COMBINATIONS[word])
        return
    if word not in ("hfexch", "srhfexch") and word not in TERMS and word not in ATTENUATED:
        known = accepted_words()
        hint = (
            suggestion(word, known) or f"; accepted: {' '.join(_COMMON)} and {len(known) - len(_COMMON)} more"
        )
        raise FunctionalError(f"xc {word} is not carried out{hint}")
    part = rest.pop(0) if rest and rest[0] in ("local", "nonlocal") else ""
    weight = real(rest[0]) if rest else None
    if weight is None:
        weight = 1.0
    else:
        rest.pop(0)
    if word == "hfexch":
        mixture.add("HF", weight)
    elif word == "srhfexch":
        mixture.short_range += weight
    elif word in ATTENUATED:
        mixture.attenuated.append((word, weight))
    else:
        _add_term(word, part, weight, mixture)


def _add_term(word: str, part: str, weight: float, mixture: _Mixture) -> None:
    term = TERMS[word]
    if term.completed_by is not None:
        # NWChem's gradient corrections of correlation are what goes beyond their local part.
        mixture.add(term.total, weight)
        mixture.add(term.local or "", -weight)
        mixture.incomplete.append((term.completed_by, weight))
        return
    if part == "local" and term.local != term.total and term.local is not None:
        raise FunctionalError(f"{word} local is slater: name slater instead")
    mixture.add(term.total, weight)
    if part == "nonlocal" and term.local is not None and term.local != term.total:
        mixture.add(term.local, -weight)
    if term.is_local_correlation:
        mixture.has_local_correlation = True


def _complete_correlation(mixture: _Mixture) -> None:
    """Add what gradient corrections imply: perdew81 with perdew86's weight, else pw91lda with weight one."""
    if mixture.has_local_correlation or not mixture.incomplete:
        return
    local = next((entry for entry in mixture.incomplete if entry[0] == "perdew81"), mixture.incomplete[0])
    mixture.add(TERMS[local[0]].total, local[1] if local[0] == "perdew81" else 1.0)


def _exact_exchange(weight: float, cam: Attenuation | None) -> list[str]:
    if weight == 0.0:
        return []
    if cam is None:
        return [f"{weight:.12g}*HF"]
    short, long = weight * cam.alpha, weight * (cam.alpha + cam.beta)
    return [f"{short:.12g}*SR_HF({cam.omega:.12g})", f"{long:.12g}*LR_HF({cam.omega:.12g})"]
