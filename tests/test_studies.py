"""The tables of the studies: read off runs in the store, and clear about those that are not there."""

from dataclasses import dataclass

import numpy as np
import pytest

from claims.conftest import nuclides
from nuclr import runs
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.model.network import Network
from nuclr.model.probe import Probe
from studies import norms, parity
from studies.reading import markdown, told, trained


@dataclass
class Fake:
    """An untrained network with made-up errors."""

    probe: Probe
    errors: dict

    def error(self, name):
        return self.errors[name]


def fake(profile, name, **errors):
    config = runs.named(profile, name)[0]
    network = Network.of(config.model, len(config.data.observables))
    probe = Probe(config, network.initialise([0]), np.zeros(10), np.ones(10))
    return Fake(probe, {key.replace("__", "."): value for key, value in errors.items()})


def test_a_table_is_markdown():
    assert markdown(("a", "long"), [("1", "2")]) == "| a | long |\n|---|------|\n| 1 | 2    |"


def test_values_are_told_with_their_range():
    assert told([1.0, 2.0, 6.0], 1) == "3.0 (1.0 to 6.0)"


@pytest.mark.parametrize("study", runs.STUDIES)
def test_a_store_without_the_runs_names_the_command(study, tmp_path, capsys):
    with pytest.raises(NuclrError, match=f"nuclr train --profile {study}"):
        trained(study, tmp_path)
    assert f"Left out: {runs.planned(study)[0].name} (3 of 3 seeds are not trained)." in capsys.readouterr().err


def test_untrained_networks_have_no_parity_no_order_and_no_pairing():
    runs_of = [fake("parity", "equal-90", validation_rms__binding=5.0, validation_rms__sn=2.0) for _ in range(3)]
    row = dict(zip(parity.OF_PARITY, parity.of_parity("equal-90", runs_of), strict=True))
    assert (row["runs"], row["% of rows"]) == ("equal", "90")
    assert float(row["R_P of Z"].split()[0]) == pytest.approx(1.0, abs=0.01)
    row = dict(zip(parity.BESIDE_IT, parity.beside_it("equal-90", runs_of, nuclides(table.heavy)), strict=True))
    assert row["val RMS of binding (keV)"] == "5 (5 to 5)"
    assert 0.5 <= float(row["order of N"].split()[0]) < 0.7
    assert float(row["cosine of the pairing term"].split()[0]) < 0.3


def test_a_norm_is_compared_with_none_in_the_same_training():
    found = {
        f"{norm}-long": [fake("norms", "none-long", validation_rms__binding=value, train_rms__binding=1.0)]
        for norm, value in (("none", 100.0), ("layer", 250.0))
    }
    assert norms.line("layer-long", found) == ["layer", "long", "1 (1 to 1)", "250 (250 to 250)", "2.50"]
    del found["none-long"]
    assert norms.line("layer-long", found)[-1] == ""
