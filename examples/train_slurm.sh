#!/bin/bash
# A data set as a campaign of one node, and a network trained on it by four processes: sbatch examples/train_slurm.sh
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@60
set -e
source .venv/bin/activate

# Both commands go on where an earlier job was ended. On several nodes: --executor clusters:slurm, from a login node.
hybrid-dataset examples/dataset.yaml --jobs "$SLURM_CPUS_PER_TASK"
torchrun --standalone --nproc-per-node 4 "$(command -v hybrid-train)" examples/train.yaml
