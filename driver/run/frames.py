"""One deck for every frame of a multi-frame xyz file."""

from dataclasses import replace
from pathlib import Path

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask, Task
from ...adapters.deck.deck import of_other_system
from ...adapters.files.xyz_frames import read_frames
from ...adapters.system import Geometry


def frame_decks(deck: Deck, path: Path) -> list[Deck]:
    """The deck with the nuclei of each frame in turn; its files are called `<start>_1`, `<start>_2`, …

    Positions are the file's own: no centring. Raises DeckError for decks of several geometries and for those
    that load a state, FramesError for files that are of other atoms.
    """
    check_one_geometry(deck, "frames")
    frames = read_frames(path, deck.tasks[0].system.geometry)
    return [
        replace(
            deck, prefix=f"{deck.prefix}_{number}", tasks=tuple(moved(task, frame) for task in deck.tasks)
        )
        for number, frame in enumerate(frames, start=1)
    ]


def moved(task: Task, frame: Geometry) -> Task:
    """The task with other nuclei."""
    return of_other_system(task, lambda system: replace(system, geometry=frame, geometries=(frame,)))


def check_one_geometry(deck: Deck, who: str) -> None:
    """Refuse decks whose tasks depend on more than a geometry; who: frames, or what else has many.

    Raises DeckError.
    """
    for task in deck.tasks:
        if len(task.system.geometries) > 1:
            raise DeckError(task.place, f"{who} take the place of a deck's only geometry; this has several")
        if isinstance(task, PropagationTask) and task.real_time.load.kind != "scf":
            raise DeckError(task.place, f"{who} start from their own ground states; accepted: load scf")
        if isinstance(task, GroundStateTask) and (task.skip or task.vectors.kind in ("file", "fragment")):
            raise DeckError(task.place, f"{who} start from guesses; accepted: vectors input atomic")
