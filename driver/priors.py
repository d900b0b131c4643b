"""What the on-the-fly response starts from in a run: its linear base, or more."""

from ..adapters.pyscf_engine import PySCFEngine
from ..surrogate.auxiliary_kernel import AuxiliaryKernel, apply_auxiliary_kernel
from ..surrogate.response import PRIOR_ERROR, Prior
from ..surrogate.reused_response import CARRIED_ERROR, carried_prior, correction_of, read_earlier_run
from .problem import Problem
from .settings import Options, physics_of


def make_prior(
    problem: Problem, kernel: AuxiliaryKernel | None, options: Options
) -> tuple[Prior | None, float]:
    """The Fock response of an AO change (n_spin, n, n), before anything is learned, and its relative error.

    kernel: the analytic one, None where there is none. Raises PriorError.
    """
    engine = problem.engine
    assert isinstance(engine, PySCFEngine)
    prior = None if kernel is None else (lambda change: apply_auxiliary_kernel(kernel, change[None])[0])
    if options.prior is None:
        return prior, PRIOR_ERROR
    run = read_earlier_run(options.prior, physics_of(problem.system), problem.system)
    correction = correction_of(run, problem.system, options.memory)
    base = prior or engine.mean_field_response
    carried = carried_prior(correction, base, engine.integrals.overlap, problem.basis)
    return carried, CARRIED_ERROR if prior is None else PRIOR_ERROR
