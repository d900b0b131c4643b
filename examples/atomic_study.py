"""The full configuration study: 100 configurations of every element, energies, dynamics, figures.

    python examples/atomic_study.py [DIR] [LAST_Z]

DIR defaults to atomic-study, LAST_Z to 118. An element takes 2 to 25 processor seconds, with spin and
without. An interrupted run resumes where it stopped. What is written is listed in docs/atomic.md.
"""

import sys

from hybrid_propagate.atomic.commands.main import main

if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "atomic-study"
    last = sys.argv[2] if len(sys.argv) > 2 else "118"
    words = ["study", "--z", f"1-{last}", "--count", "100", "--out", folder, "--no-pyscf"]
    sys.exit(main(words))
