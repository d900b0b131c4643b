"""Ready-made cases of `hybrid-atomic solve`: what each teaches, and its options."""

PRESETS: dict[str, dict[str, object]] = {
    "hydrogenic": {
        "about": "hydrogen without electron-electron terms: exactly -1/2 Ha",
        "element": "H",
        "use_hartree": False,
        "use_exchange": False,
        "use_correlation": False,
    },
    "self-interaction": {
        "about": "hydrogen in LSDA: how far -0.4787 Ha is from -1/2",
        "element": "H",
        "spin": True,
    },
    "closed-shell": {"about": "neon in LDA, as in the NIST tables", "element": "Ne"},
    "half-filled": {"about": "nitrogen in LSDA: the exchange splitting of 2p", "element": "N", "spin": True},
    "iron": {
        "about": "iron in scalar-relativistic LSDA",
        "element": "Fe",
        "spin": True,
        "relativity": "scalar",
    },
    "spin-orbit": {"about": "uranium by the Dirac equation", "element": "U", "relativity": "dirac"},
    "ion": {"about": "the iron cation Fe+ in LSDA", "element": "Fe", "spin": True, "charge": 1},
    "textbook": {
        "about": "neon on the uniform grid: compare with closed-shell",
        "element": "Ne",
        "mesh": "uniform",
        "r_max": 15.0,
        "num_points": 6000,
    },
}
