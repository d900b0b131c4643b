"""Stands in for the command `nwchem`: the same pipe and log lines, and one fault, named as first argument.

Two basis functions, closed shell, nt = 1,000,000. Its density turns by a fixed phase each step, so that what
comes back shows which state went in.
"""

import os
import sys
import time

FAULT = sys.argv[1]
TAG = "<rt_tddft>:"


def say(text: str) -> None:
    print(text, flush=True)


def record(number: int, t: float, rows: list[float]) -> str:
    size = max(abs(x) for x in rows[::2])
    checksum = 1.67 * sum(abs(x) for x in rows[::2]) + 0.12 * size**0.5
    head = f"RT-TDDFT restart file\ncreated   now\nnmats     1\nnbf_ao    2\nit        {number}\n"
    body = "".join(f"{x:20.10E}" for x in rows)
    return f"{head}t         {t:20.12E}\nchecksum  {checksum:20.12E}\n{body}\n"


def main() -> None:
    say("          NWChem DFT Module")
    if FAULT == "scf":
        say(" ------------------------------------------------------------------------")
        say(" dft energy failed                     0")
        say(" This error has not yet been assigned to a category")
        sys.exit(255)
    if FAULT == "exit before pipe":
        say(" ma_init failed (ga_uses_ma=F)")
        sys.exit(143)
    say("         Total DFT energy =       -1.250000000000")
    say("     Nuclear repulsion energy =        0.500000000000")
    say("          NWChem Real-Time TDDFT Module")
    if FAULT == "hang at once":
        time.sleep(600)
    while True:
        with open("nw.rt_restart", "r+b", buffering=0) as pipe:
            text = b""
            while text.count(b"\n") < 8:
                text += pipe.read(65536)
        lines = text.decode().splitlines()
        number, t = int(lines[4][10:]), float(lines[5][10:])
        rows = [float(lines[7][k : k + 20]) for k in range(0, len(lines[7]), 20)]
        with open("numbers", "w") as count:
            count.write(str(len(rows)))
        say(f"{TAG} {t:12.5f}        ### Loaded restart file ###")
        say(f"{TAG} {t:12.5f}        ### Propagation successfully restarted ###")
        for point in range(number, 1_000_000):
            for label in ("CPU time", "Enuc", "Ecore", "Ecoul", "Exc(1)", "Exc(2)", "Etot", "Eadded"):
                say(f"{TAG} {t:12.5f}   1.000000000000E+000     # {label}")
            say(f"{TAG} {t:12.5f}  -2.000000000000E+000     # Charge [g]")
            say(f"{TAG} {t:12.5f}  {rows[0]:.12E}   0.0E+000   0.0E+000     # Dipole moment [g]")
            if point == number + 2:
                misbehave()
            text = record(point, t, rows)
            if FAULT == "garbage" and point == number + 2:
                text = text.replace("E-01", "#!?!")
            with open("nw.rt_restart", "r+b", buffering=0) as pipe:
                pipe.write(text.encode())
            say(f"{TAG} {t:12.5f}        ### Saved restart file ###")
            say(f"{TAG} {t:12.5f}                     2     # Magnus total interpolations")
            t += 0.5
            rows[0] += 0.125
        time.sleep(0.2)  # the last step, and the head of the next task
        say(f"{TAG} {t:12.5f}        ### Propagation finished ###")


def misbehave() -> None:
    if FAULT == "abort":
        say(" ------------------------------------------------------------------------")
        say(" prop_magnus_ord2_interpol: failed to converge       0")
        say("[0] ARMCI Error: 0:prop_magnus_ord2_interpol: failed to converge:")
        sys.exit(1)
    if FAULT == "disk full":
        say("Fortran runtime error: No space left on device")
        sys.exit(2)
    if FAULT == "killed":
        os.kill(os.getpid(), 9)
    if FAULT == "hang":
        time.sleep(600)
    if FAULT == "quits":
        sys.exit(0)


main()
