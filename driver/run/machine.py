"""The machine and the command that a run was made with, for its records."""

import os
import platform
import shlex
import sys
from pathlib import Path


def cpu_name() -> str:
    """The processor's name as the system tells it, such as `AMD EPYC 7B13`, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def command_line() -> str:
    """This process's command, without the folder that it lies in."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def half_of_memory() -> float:
    """Bytes that integrals and grids may take unless the user says otherwise."""
    return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
