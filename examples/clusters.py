"""Executors by Parsl for `hybrid-campaign CONFIG --executor clusters:FUNCTION`.

They need pip install 'hybrid-propagate[cluster]'. Copy this file beside the configuration, change the lines
marked CHANGE, and start the campaign on a login node.
A job that reaches its walltime loses nothing: its items go on in the next job from their last checkpoint.
"""

from concurrent.futures import Executor

from hybrid_propagate.driver.executors.parsl_pool import parsl_pool

#: What every worker runs before it starts: modules, and the environment that the package is installed in.
WORKER = "source ~/campaign/.venv/bin/activate; export OMP_NUM_THREADS=1"  # CHANGE


def local() -> Executor:
    """Two workers on this machine: to try Parsl out."""
    from parsl.providers import LocalProvider

    provider = LocalProvider(init_blocks=1, max_blocks=1)
    return parsl_pool(provider, address="127.0.0.1", folder="parsl")


def slurm() -> Executor:
    """Up to ten Slurm jobs of one node each, as many as there are items for."""
    from parsl.addresses import address_by_hostname
    from parsl.providers import SlurmProvider

    provider = SlurmProvider(
        partition="standard",  # CHANGE
        account="project",  # CHANGE
        nodes_per_block=1,
        cores_per_node=64,  # CHANGE: workers of one core each share a node
        walltime="04:00:00",
        init_blocks=1,
        min_blocks=0,
        max_blocks=10,
        worker_init=WORKER,
        scheduler_options="#SBATCH --mem-per-cpu=2G",
    )
    return parsl_pool(provider, address=address_by_hostname(), folder="parsl")


def pbs() -> Executor:
    """Up to ten PBS jobs of one node each, as many as there are items for."""
    from parsl.addresses import address_by_hostname
    from parsl.providers import PBSProProvider

    provider = PBSProProvider(
        queue="workq",  # CHANGE
        account="project",  # CHANGE
        nodes_per_block=1,
        cpus_per_node=64,  # CHANGE
        walltime="04:00:00",
        init_blocks=1,
        min_blocks=0,
        max_blocks=10,
        worker_init=WORKER,
        scheduler_options="#PBS -j oe",
    )
    return parsl_pool(provider, address=address_by_hostname(), folder="parsl")
