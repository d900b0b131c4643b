"""NWChem's `xc` directive as a PySCF (libxc) functional description.

NWChem adds weighted terms; each of its words is given here as the libxc functionals that make the same energy.
`local` and `nonlocal` pick a term's LDA part or the rest of it. Gradient corrections of correlation given without
any local correlation bring their own (perdew86: perdew81; perdew91 and cpbe96: pw91lda), as in NWChem.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Functional:
    """An exchange-correlation functional.

    directive: the deck's own words (`pbe0`, `xpbe96 cpbe96`), for logs.
    pyscf: PySCF's description of the same functional (`0.25*HF + 0.75*PBE, PBE`); `HF` for Hartree-Fock.
    """

    directive: str
    pyscf: str


@dataclass(frozen=True)
class Attenuation:
    """`cam`: exact exchange enters with the operator (alpha + beta erf(omega r)) / r."""

    omega: float
    alpha: float
    beta: float


@dataclass(frozen=True)
class Term:
    """Parts of one NWChem word that takes a weight: exchange-correlation beyond LDA is `total` minus `local`."""

    total: str
    local: str | None = None
    #: Local correlation that NWChem adds when the deck names none; only for gradient corrections of correlation.
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
    "xperdew91": Term("GGA_X_PW91", "LDA_X"),
    "mpw91": Term("GGA_X_MPW91", "LDA_X"),
    "gill96": Term("GGA_X_G96", "LDA_X"),
    "becke86b": Term("GGA_X_B86_MGC", "LDA_X"),
    "xperdew86": Term("GGA_X_PW86", "LDA_X"),
    "xtpss03": Term("MGGA_X_TPSS"),
    "xpkzb99": Term("MGGA_X_PKZB"),
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
}

_B3: dict[str, float] = {"HF": 0.2, "LDA_X": 0.08, "GGA_X_B88": 0.72}

#: Words that stand for a whole functional and take no weight.
COMBINATIONS: Mapping[str, Mapping[str, float]] = {
    "b3lyp": {**_B3, "GGA_C_LYP": 0.81, "LDA_C_VWN_RPA": 0.19},
    "acm": {**_B3, "LDA_C_VWN": 1.0, "GGA_C_PW91": 0.81, "LDA_C_PW_MOD": -0.81},
    "b3p86": {**_B3, "LDA_C_VWN_RPA": 1.0, "GGA_C_P86": 0.81, "LDA_C_PZ": -0.81},
    "b3pw91": {**_B3, "LDA_C_PW_MOD": 0.19, "GGA_C_PW91": 0.81},
    "bhlyp": {"HF": 0.5, "GGA_X_B88": 0.5, "GGA_C_LYP": 1.0},
    "beckehandh": {"HF": 0.5, "LDA_X": 0.5, "LDA_C_PW_MOD": 0.5},
    "pbe0": {"HF": 0.25, "GGA_X_PBE": 0.75, "GGA_C_PBE": 1.0},
    "pbe96": {"GGA_X_PBE": 1.0, "GGA_C_PBE": 1.0},
    "mpw1k": {"HF": 0.428, "GGA_X_MPW91": 0.572, "GGA_C_PW91": 1.0},
}

#: Exchange that `cam` attenuates: (full range, its short-range part).
ATTENUATED: Mapping[str, tuple[str, str]] = {
    "xcamb88": ("GGA_X_B88", "GGA_X_ITYH"),
}


class UnknownFunctional(ValueError):  # noqa: N818  the name is what it says
    """The words cannot be carried out; the text says which and why."""


@dataclass
class _Mixture:
    """Weights by libxc name, `HF` among them, and what decides about default local correlation."""

    weights: dict[str, float] = field(default_factory=dict)
    has_local_correlation: bool = False
    incomplete: list[tuple[str, float]] = field(default_factory=list)
    attenuated: list[tuple[str, float]] = field(default_factory=list)

    def add(self, name: str, weight: float) -> None:
        self.weights[name] = self.weights.get(name, 0.0) + weight


def accepted_words() -> list[str]:
    """Every word of `xc` that is carried out."""
    return ["hfexch", *TERMS, *COMBINATIONS, *ATTENUATED]


def functional(words: tuple[str, ...], cam: Attenuation | None = None) -> Functional:
    """Functional of the words behind `xc`, with the `cam` line in force, if any.

    Raises UnknownFunctional for words and combinations of words that have no equal in libxc.
    """
    mixture = _Mixture()
    rest = [word.lower() for word in words]
    while rest:
        _take_word(rest, mixture)
    _complete_correlation(mixture)
    if mixture.attenuated and cam is None:
        raise UnknownFunctional(f"{mixture.attenuated[0][0]} needs a cam line behind the xc line")
    pieces = _exact_exchange(mixture.weights.pop("HF", 0.0), cam)
    for word, weight in mixture.attenuated:
        full, short = ATTENUATED[word]
        assert cam is not None
        mixture.add(full, weight * (1.0 - cam.alpha - cam.beta))
        mixture.add(short, weight * cam.beta)
    pieces += [f"{weight:.12g}*{name}" for name, weight in mixture.weights.items() if abs(weight) > 1e-14]
    directive = " ".join(words)
    if cam is not None:
        directive += f" cam {cam.omega:g} cam_alpha {cam.alpha:g} cam_beta {cam.beta:g}"
    if not pieces:
        raise UnknownFunctional("xc names no functional")
    return Functional(directive, "HF" if pieces == ["1*HF"] else " + ".join(pieces).replace("+ -", "- "))


def _take_word(rest: list[str], mixture: _Mixture) -> None:
    from .deck_lines import real, suggestion

    word = rest.pop(0)
    if word in COMBINATIONS:
        for name, weight in COMBINATIONS[word].items():
            mixture.add(name, weight)
        mixture.has_local_correlation = True
        return
    if word != "hfexch" and word not in TERMS and word not in ATTENUATED:
        hint = suggestion(word, accepted_words()) or f"; accepted: {' '.join(accepted_words())}"
        raise UnknownFunctional(f"xc {word} is not carried out{hint}")
    part = rest.pop(0) if rest and rest[0] in ("local", "nonlocal") else ""
    weight = real(rest[0]) if rest else None
    if weight is None:
        weight = 1.0
    else:
        rest.pop(0)
    if word == "hfexch":
        mixture.add("HF", weight)
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
        raise UnknownFunctional(f"{word} local is slater: name slater instead")
    mixture.add(term.total, weight)
    if part == "nonlocal" and term.local is not None and term.local != term.total:
        mixture.add(term.local, -weight)
    if term.is_local_correlation:
        mixture.has_local_correlation = True


def _complete_correlation(mixture: _Mixture) -> None:
    """Add the local correlation that gradient corrections imply: perdew81 with perdew86's weight, else pw91lda."""
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
