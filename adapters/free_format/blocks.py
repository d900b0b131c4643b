"""Which words start a block that ends with `end`, and which blocks may stand inside."""

from collections.abc import Mapping

_ZMATRIX = ("zmatrix", "zmatri", "zmatr", "zmat", "zmt", "zcoord", "system")
#: Blocks of tasks other than an SCF and a propagation, which nothing else reads.
OF_OTHER_TASKS = (
    *("property", "stepper", "tropt", "hessian", "freq", "vib", "esp", "md", "mp2", "tce", "ccsd"),
    *(
        "mcscf",
        "selci",
        "neb",
        "string",
        "drdy",
        "dirdyvtst",
        "raman",
        "qmd",
        "prepare",
        "analysis",
        "analyze",
    ),
    *("etrans", "gw", "dntmc", "nbo", "vscf", "bsse", "constraints", "nwpw", "pspw", "band", "paw"),
)
_PLANE_WAVES = ("nwpw", "pspw", "band", "paw")
_IN_PLANE_WAVES = (
    *("simulation_cell", "car-parrinello", "steepest_descent", "cell_optimize", "dplot", "wannier"),
)
#: Inner blocks by the word that starts the outer one.
BLOCKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("basis", "ecp", "dft", "scf", "dplot", "field", "visualization", "mocap", "range"), ()),
    **dict.fromkeys(("driver", "bq", "cosmo", "dimqm", "relativistic", "qmmm", "oniom", "so", "grad"), ()),
    **dict.fromkeys(_ZMATRIX, ()),
    **dict.fromkeys(OF_OTHER_TASKS, ()),
    **dict.fromkeys(_PLANE_WAVES, _IN_PLANE_WAVES),
    "geometry": _ZMATRIX,
    "rt_tddft": ("field", "visualization", "mocap", "spatialcap", "range"),
    "spatialcap": ("range",),
    "tddft": ("grad",),
}
