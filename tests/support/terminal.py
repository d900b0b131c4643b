"""The installed commands as a user runs them: at a terminal, which is a pty here, and in a batch job."""

import os
import pty
import subprocess
import sysconfig
import threading
from collections.abc import Sequence
from pathlib import Path

#: Where `pip install` put the commands.
PROGRAMS = Path(sysconfig.get_path("scripts"))


def at_a_terminal(folder: Path, words: Sequence[str], output: str, typed: str = "") -> tuple[int, str, str]:
    """Exit code, what came on the screen, and what went to a `file` or `pipe`, or to the `terminal` too."""
    screen: list[bytes] = []
    master, slave = pty.openpty()

    def watch() -> None:
        # Linux reports the end of the other side as an error.
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:
                return
            if not data:
                return
            screen.append(data)

    path = folder / "output"
    with path.open("wb") as file:
        out = {"file": file, "pipe": subprocess.PIPE, "terminal": slave}[output]
        process = subprocess.Popen(
            [PROGRAMS / words[0], *words[1:]], cwd=folder, stdin=slave, stdout=out, stderr=slave
        )
        os.close(slave)
        os.write(master, typed.encode())
        watching = threading.Thread(target=watch)
        watching.start()
        piped, _ = process.communicate()
        watching.join(5)
    os.close(master)
    printed = (piped or b"") if output == "pipe" else path.read_bytes()
    return process.returncode, b"".join(screen).decode().replace("\r\n", "\n"), printed.decode()


def in_a_batch_job(folder: Path, words: Sequence[str], typed: str = "") -> subprocess.CompletedProcess[str]:
    """No terminal anywhere: lines come from a pipe, then nothing, and both outputs go to pipes."""
    return subprocess.run(
        [PROGRAMS / words[0], *words[1:]],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
