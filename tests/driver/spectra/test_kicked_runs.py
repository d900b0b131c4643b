"""A run's lines are fitted once; the table and the page take them from its summary."""

import json
from pathlib import Path

import pytest
from hybrid_propagate.driver.commands.propagate import main
from hybrid_propagate.driver.spectra import lines as fitting
from hybrid_propagate.driver.spectra.kicked_runs import lines_of_run, read_kicked_runs
from hybrid_propagate.driver.spectra.lines import absorption_lines
from hybrid_propagate.driver.spectra.spectrum import SpectrumError
from small_decks import HYDRIDE, kicked


def test_one_fit_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []
    fit = fitting._fitted_lines
    monkeypatch.setattr(fitting, "_fitted_lines", lambda *arguments: fits.append(1) or fit(*arguments))
    monkeypatch.chdir(tmp_path)
    Path("water.nw").write_text(kicked(HYDRIDE, xc="hfexch", tmax=40.0))
    assert main(["water.nw", "--report"]) == 0
    assert len(fits) == 1

    trajectory = Path("water.h5")
    runs = read_kicked_runs(trajectory)
    stored = lines_of_run(trajectory, runs)
    assert len(fits) == 1
    assert stored == absorption_lines(runs)
    assert stored[0].transitions

    summary = json.loads(Path("water.json").read_text())
    assert f"{summary['lines'][0]['energy']:.3f}" in Path("water.html").read_text()
    del summary["lines"]
    Path("water.json").write_text(json.dumps(summary))
    assert lines_of_run(trajectory, runs) == stored
    assert len(fits) == 3
    Path("water.json").write_text(json.dumps({**summary, "lines": [{"energy": 1.0}]}))
    with pytest.raises(SpectrumError, match="not the summary of a run"):
        lines_of_run(trajectory, runs)
