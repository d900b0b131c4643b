"""Stands in for the command `nwchem`: the same pipe and log lines, and one fault, named as first argument.

Two basis functions, closed shell, nt = 1,000,000. Its density turns by a fixed phase each step, so that what
comes back shows which state went in.
"""

import os
import signal
import sys
import time

FAULT = sys.argv[1]
TAG = "<rt_tddft>:"
#: Energies of a point's log lines.
LABELS = ("CPU time", "Enuc", "Ecore", "Ecoul", "Exc(1)", "Exc(2)", "Etot", "Eadded")


def say(text: str) -> None:
    print(text, flush=True)


def say_bytes(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def record(number: int, t: float, rows: list[float]) -> str:
    size = max(abs(x) for x in rows[::2])
    checksum = 1.67 * sum(abs(x) for x in rows[::2]) + 0.12 * size**0.5
    head = f"RT-TDDFT restart file\ncreated   now\nnmats     1\nnbf_ao    2\nit        {number}\n"
    body = "".join(f"{x:20.10E}" for x in rows)
    return f"{head}t         {t:20.12E}\nchecksum  {checksum:20.12E}\n{body}\n"


def main() -> None:
    before_the_scf()
    say("          NWChem DFT Module")
    in_the_scf()
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
        before_the_state()
        with open("nw.rt_restart", "r+b", buffering=0) as pipe:
            text = b""
            while text.count(b"\n") < 8:
                text += pipe.read(65536)
        lines = text.decode().splitlines()
        number, t = int(lines[4][10:]), float(lines[5][10:])
        rows = [float(lines[7][k : k + 20]) for k in range(0, len(lines[7]), 20)]
        with open("numbers", "w") as count:
            count.write(str(len(rows)))
        if FAULT == "dies with the state":
            sys.exit(4)
        say(f"{TAG} {t:12.5f}        ### Loaded restart file ###")
        say(f"{TAG} {t:12.5f}        ### Propagation successfully restarted ###")
        for point in range(number, 1_000_000):
            at_fault = point == number + 2
            lines = [f"{TAG} {t:12.5f}   1.000000000000E+000     # {label}" for label in LABELS]
            lines.append(f"{TAG} {t:12.5f}  -2.000000000000E+000     # Charge [g]")
            lines.append(f"{TAG} {t:12.5f}  {rows[0]:.12E}   0.0E+000   0.0E+000     # Dipole moment [g]")
            for line in spoiled_lines(lines) if at_fault else lines:
                say(line)
            if at_fault:
                misbehave()
            text = record(point, t, rows)
            if at_fault:
                text = spoiled_record(text)
            with open("nw.rt_restart", "r+b", buffering=0) as pipe:
                pipe.write(text.encode())
            if FAULT == "cut short and gone" and at_fault:
                sys.exit(0)
            if not (FAULT == "unsaid" and at_fault):
                say(f"{TAG} {t:12.5f}        ### Saved restart file ###")
            if FAULT == "garbled count":
                say(f"{TAG} {t:12.5f}                 *****     # Magnus total interpolations")
            else:
                say(f"{TAG} {t:12.5f}                     2     # Magnus total interpolations")
            t += 0.5
            rows[0] += 0.125
        time.sleep(0.2)  # the last step, and the head of the next task
        say(f"{TAG} {t:12.5f}        ### Propagation finished ###")


def before_the_scf() -> None:
    if FAULT == "nothing":
        sys.exit(0)
    if FAULT == "nothing, badly":
        sys.exit(1)
    if FAULT == "binary":
        say_bytes(bytes(range(256)) * 100)
        sys.exit(1)
    if FAULT == "a line without end":
        while True:
            say_bytes(b"x" * 65536)
    if FAULT == "lines without end":
        while True:
            say_bytes(b"y\n" * 32768)
    if FAULT == "another program":
        say("usage: nwchem [options] file")
        sys.exit(64)
    if FAULT == "few slots":
        say("mpirun: There are not enough slots available in the system")
        sys.exit(1)
    if FAULT == "deaf":
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    if FAULT == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)


def in_the_scf() -> None:
    if FAULT == "segmentation fault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if FAULT == "aborted":
        os.kill(os.getpid(), signal.SIGABRT)
    if FAULT == "terminated":
        os.kill(os.getpid(), signal.SIGTERM)
    if FAULT == "out of memory":
        say(" ga_create failed")
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "no propagation":
        say("         Total DFT energy =       **************")
        sys.exit(0)
    if FAULT == "closes its terminal":
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        time.sleep(600)
    if FAULT == "silent SCF":
        time.sleep(600)


def before_the_state() -> None:
    if FAULT == "quits before the state":
        sys.exit(0)
    if FAULT == "dies before the state":
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "talks before the state":
        while True:
            say_bytes(b"still here\n" * 8192)


def spoiled_lines(lines: list[str]) -> list[str]:
    if FAULT == "no energy":
        return [line for line in lines if "Ecoul" not in line]
    if FAULT == "no dipole":
        return lines[:-1]
    if FAULT == "stars":
        return [line.replace("1.000000000000E+000", "*" * 19) for line in lines]
    if FAULT == "NaN":
        return [line.replace("1.000000000000E+000", "NaN") for line in lines]
    if FAULT == "garbled":
        return [line.replace("E+000", "?!") for line in lines]
    return lines


def spoiled_record(text: str) -> str:
    changes = {
        "garbage": ("E-01", "#!?!"),
        "NaN in the state": (text.rsplit("\n", 2)[1][:20], f"{'NaN':>20}"),
        "stars in the state": (text.rsplit("\n", 2)[1][:20], "*" * 20),
        "huge state": (text.rsplit("\n", 2)[1][:20], f"{'9.0E+99':>20}"),
        "other state": ("checksum  ", "checksum  9"),
        "other title": ("RT-TDDFT", "RT-XXXXX"),
        "other spin": ("nmats     1", "nmats     2"),
        "other basis": ("nbf_ao    2", "nbf_ao    3"),
        "no time": ("t         ", "u         "),
        "no number": ("it        ", "it        -"),
        "a point left out": (f"it        {_number(text)}", f"it        {_number(text) + 1}"),
        "cut short and gone": (text[-80:], ""),
        "cut short": (text[-80:], ""),
    }
    if FAULT == "more than a state":
        return text + "1" * 2**23
    return text.replace(*changes[FAULT], 1) if FAULT in changes else text


def _number(text: str) -> int:
    return int(text.split("\nit ", 1)[1].split()[0])


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
