"""The words of a campaign's page."""

import numpy as np
from hybrid_propagate.driver.campaign.collected import MeanSpectrum
from hybrid_propagate.driver.campaign.page import _lead
from hybrid_propagate.driver.spectra.spectrum import Spectrum

ENERGY = np.linspace(0.0, 40.0, 401)


def mean(label: str) -> MeanSpectrum:
    spectrum = Spectrum(ENERGY, {"z": 1.0 / (10.0 - ENERGY - 1j)}, 50.0)
    return MeanSpectrum(label, spectrum, 4, 0.1 * spectrum.cross_section, ())


def test_a_band_is_spoken_of_where_one_is_drawn() -> None:
    assert "the band is one standard deviation" in _lead([mean("")])
    several = _lead([mean("hf"), mean("pbe0")])
    assert "band" not in several
    assert several.endswith("The mean of hf has a standard error of 5 %.")
