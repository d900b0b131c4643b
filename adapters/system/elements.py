"""Chemical elements and the tags that NWChem decks name centres with."""

from ...atomic.solver import elements

#: By atomic number, 0 for a centre without nucleus. NWChem 7.0.2 knows none beyond copernicium.
SYMBOLS: tuple[str, ...] = ("X", *elements.SYMBOLS[:112])

_NAMES = (
    "hydrogen helium lithium beryllium boron carbon nitrogen oxygen fluorine neon sodium magnesium "
    "aluminium silicon phosphorus sulphur chlorine argon potassium calcium scandium titanium vanadium "
    "chromium manganese iron cobalt nickel copper zinc gallium germanium arsenic selenium bromine krypton "
    "rubidium strontium yttrium zirconium niobium molybdenum technetium ruthenium rhodium palladium silver "
    "cadmium indium tin antimony tellurium iodine xenon"
)

_BY_SYMBOL = {symbol.lower(): z for z, symbol in enumerate(SYMBOLS) if z}
_BY_NAME = {name: z for z, name in enumerate(_NAMES.split(), start=1)} | {"aluminum": 13, "sulfur": 16}


def element_of_tag(tag: str) -> int | None:
    """Atomic number that a tag stands for: 0 for a centre without nucleus, None if it names no element.

    As NWChem reads tags, in any case: `bq...` and `x...` (save Xe) have no nucleus; else the tag starts with
    an element's full name, with a two-letter symbol or with a one-letter symbol, tried in this order
    (`oxygen1`, `Cl2`, `H1`, `O_a`; `Ow` is oxygen, `Cab` calcium).
    """
    text = tag.lower()
    if text.startswith("bq"):
        return 0
    for name, number in _BY_NAME.items():
        if text.startswith(name):
            return number
    for length in (2, 1):
        number = _BY_SYMBOL.get(text[:length])
        if number is not None:
            return number
    return 0 if text.startswith("x") else None


def names_of_element(atomic_number: int) -> tuple[str, ...]:
    """Lower-case symbol and names of an element; basis entries for `O` or `oxygen` serve every oxygen tag."""
    names = tuple(name for name, number in _BY_NAME.items() if number == atomic_number)
    return (SYMBOLS[atomic_number].lower(), *names)
