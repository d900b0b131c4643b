"""The items of a campaign: each one geometry at one level of theory, with all its propagations."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...adapters.deck import Deck, DeckError, GroundStateTask, PropagationTask, Task
from ...adapters.deck.reader import read_deck
from ...adapters.files.configuration import Source
from ...adapters.system.elements import element_of_tag
from ...atomic.whole_file import write_whole
from ..dataset.config import Level, MoleculeEntry, check_level, molecule_of
from ..run.frames import check_one_geometry, moved
from ..run.job import file_names, last_trajectory
from ..run.options import Options, fingerprint
from .axes import Variation, item_tasks, levels_of, variations_of
from .config import CampaignConfig, MoleculeLevel
from .geometries import geometries_of
from .item_maps import Probing, check_probing, last_pump, probing_of
from .waves import seeds_of

#: Where the items' own folders are, under the campaign's.
ITEMS = "items"


@dataclass(frozen=True, eq=False)
class Item:
    """One geometry at one level.

    name: of its folder and files. geometry: its number, from 1. level: functional and basis, where they vary.
    deck: with the item's nuclei and propagations; its permanent_dir is the item's folder.
    variations: of its propagations, in order. digest: of all that shapes its numbers.
    seed: name of the item that it starts from; empty without.
    probing: where each propagation is a pump with probes at delays, which make a map; else None.
    """

    name: str
    geometry: int
    level: Mapping[str, str]
    deck: Deck
    variations: tuple[Variation, ...]
    digest: str
    seed: str = ""
    probing: Probing | None = None

    @property
    def trajectories(self) -> tuple[Path, ...]:
        """Of its propagations, in order."""
        return tuple(self.deck.permanent_dir / f"{name}.h5" for name in file_names(self.deck))

    @property
    def start_of_others(self) -> Path | None:
        """The trajectory that neighbours start from."""
        if self.probing is not None:
            return last_pump(self.deck, self.probing)
        return last_trajectory(self.deck)


def items_of(
    config: CampaignConfig, source: Source, options: Options, tell: Callable[[str], None]
) -> list[Item]:
    """All items, in order. Raises CampaignError, DeckError; Failed where there are no frequencies."""
    deck = _deck(config, source)
    _check_deck(deck)
    probing = probing_of(config, source)
    variations = variations_of(config.axes, deck, source)
    levels = levels_of(config.axes, deck, source)
    geometries = geometries_of(config, deck, source, tell)
    seeds = seeds_of(np.array([geometry.positions for geometry in geometries]))
    width = max(4, len(str(len(geometries))))
    found = []
    for name, level, at_level in levels:
        tasks = item_tasks(at_level, config.axes, variations)
        if probing is not None:
            check_probing(replace(at_level, tasks=tasks), probing, source)
        shared = _digest(tasks, options, probing)
        names = [f"g{k:0{width}d}" + (f"_{name}" if name else "") for k in range(1, len(geometries) + 1)]
        for k, geometry in enumerate(geometries):
            folder = config.folder / ITEMS / names[k]
            own = replace(
                at_level,
                prefix=names[k],
                # Workers may have other working folders.
                permanent_dir=folder.absolute(),
                tasks=tuple(moved(task, geometry) for task in tasks),
                journal=(),
                recorded=(),
            )
            place = np.round(geometry.positions, 10).tobytes()
            digest = hashlib.sha256(shared + place).hexdigest()[:32]
            seed = seeds[k]
            found.append(
                Item(
                    names[k],
                    k + 1,
                    level,
                    own,
                    variations,
                    digest,
                    "" if seed is None else names[seed],
                    probing,
                )
            )
    return sorted(found, key=lambda item: (item.geometry, item.name))


def _digest(tasks: tuple[Task, ...], options: Options, probing: Probing | None) -> bytes:
    """Of all but the nuclei's places. What else a run starts from changes no number beyond its error."""
    alone = replace(options, prior=None)
    runs: list[object] = [
        [{**fingerprint(task, alone), "geometry": ""}, task.real_time.tmax, task.real_time.tag]
        for task in tasks
        if isinstance(task, PropagationTask)
    ]
    if probing is not None:
        runs.append([probing.probe, probing.delays, probing.window])
    return hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).digest()


def _deck(config: CampaignConfig, source: Source) -> Deck:
    """The deck named, or one written for the molecule into the campaign's folder, which NWChem reads too."""
    if config.deck is not None:
        return read_deck(config.deck)
    named = config.molecule
    assert named is not None
    kicks = config.axes.kicks
    assert kicks is not None
    path = config.folder / f"{named.name}.nw"
    text = _deck_text(named, source, kicks.size)
    try:
        config.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
    except OSError as error:
        raise source.refused(("folder",), f"{config.folder}: cannot be written: {error.strerror}") from error
    return read_deck(path)


def _deck_text(named: MoleculeLevel, source: Source, kick: float) -> str:
    entry = MoleculeEntry(named.name, named.atoms, named.charge, named.multiplicity)
    molecule = molecule_of(entry, source, ("molecule",))
    symbols = dict.fromkeys(molecule.symbols)
    numbers = {element_of_tag(symbol) or 0 for symbol in symbols}
    check_level(Level(named.basis, named.functional), numbers, source, ("molecule",))
    rows = zip(molecule.symbols, molecule.positions.tolist(), strict=True)
    atoms = "\n".join(f"  {symbol} " + " ".join(f"{x:.8f}" for x in place) for symbol, place in rows)
    xc = "hfexch" if named.functional.lower() == "hf" else named.functional
    mult = f"  mult {named.multiplicity}\n" if named.multiplicity > 1 else ""
    return (
        f'start {named.name}\ntitle "{named.name}"\n'
        + (f"charge {named.charge}\n" if named.charge else "")
        + f'geometry "molecule" units angstroms nocenter noautosym noautoz\n{atoms}\nend\n'
        + f'set geometry "molecule"\nbasis\n  * library "{named.basis}"\nend\n'
        + f"dft\n  xc {xc}\n{mult}end\ntask dft energy\n"
        + f'rt_tddft\n  tmax {named.tmax!r}\n  dt {named.dt!r}\n  tag "kick_z"\n'
        + f'  field "kick"\n    type delta\n    polarization z\n    max {kick!r}\n  end\n'
        + '  excite "molecule" with "kick"\n  print dipole field energy convergence\nend\ntask dft rt_tddft\n'
    )


def _check_deck(deck: Deck) -> None:
    """Refuse decks whose tasks depend on more than a geometry, or move nuclei. Raises DeckError."""
    check_one_geometry(deck, "items")
    for task in deck.tasks:
        if isinstance(task, PropagationTask) and task.real_time.no_propagation:
            raise DeckError(task.place, "items propagate; this task has noprop")
        if isinstance(task, GroundStateTask) and task.relax is not None:
            raise DeckError(task.place, "give the geometry that it ends at: items do not move their nuclei")
