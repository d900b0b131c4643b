"""`hybrid-atomic`: solve one atom, run the configuration study, or work at a prompt.

Exit codes: 0 done, 1 the calculation failed, 2 bad input, 130 interrupted. Results on standard output,
progress and errors on standard error.
"""

import sys

from ..interruption import INTERRUPTED, may_speak
from ..solver.errors import ConvergenceError, InputError
from .options import command_parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    options = command_parser().read(arguments)
    try:
        return options.run(options)
    except InputError as error:
        print(f"hybrid-atomic: {error}", file=sys.stderr)
        return 2
    except ConvergenceError as error:
        print(f"hybrid-atomic: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of what is printed has gone.
        raise
    except OSError as error:
        print(
            f"hybrid-atomic: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        if may_speak():
            print("hybrid-atomic: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    from ..entry import run_command

    sys.exit(run_command("hybrid-atomic", "hybrid_propagate.atomic.commands.main"))
