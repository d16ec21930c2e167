"""The tables of the studies: read off runs in the store, and clear about those that are not there."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from claims.conftest import Run, nuclides
from nuclr import runs
from nuclr.data import table
from nuclr.errors import NuclrError
from nuclr.model.network import Network
from nuclr.model.probe import Probe
from nuclr.physics.formulas import SEMF
from studies import mass_models, mechanisms, new_nuclides, norms, parity, parity_wave, scaling, structure
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
    planned = [run.name for run in runs.planned(study)]
    seeds = planned.count(planned[0])
    assert f"Left out: {planned[0]} ({seeds} of {seeds} seeds are not trained)." in capsys.readouterr().err


def test_untrained_networks_have_no_parity_no_order_and_no_pairing():
    runs_of = [fake("parity", "equal-90", validation_rms__binding=5.0, validation_rms__sn=2.0) for _ in range(3)]
    row = dict(zip(parity.OF_PARITY, parity.of_parity("equal-90", runs_of), strict=True))
    assert (row["runs"], row["% of rows"]) == ("equal", "90")
    assert float(row["R_P of Z"].split()[0]) == pytest.approx(1.0, abs=0.01)
    row = dict(zip(parity.OF_WAVE, parity.of_wave("equal-90", runs_of), strict=True))
    assert [float(row[name].split()[0]) for name in parity.OF_WAVE[2:]] == pytest.approx([1.0] * 4, abs=0.4)
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


def test_a_cell_says_where_the_interval_stands():
    measure = scaling.bounds()["order of the numbers along PC0: Z"]
    assert str(measure.bound) == "> 0.9"
    assert scaling.cell(np.array([0.97, 0.98, 0.99]), 2, measure) == "0.98 ± 0.02 ●"
    assert scaling.cell(np.array([0.55, 0.56, 0.57]), 2, measure) == "0.56 ± 0.02 ○"
    assert scaling.cell(np.array([0.85, 0.92, 0.99]), 2, measure) == "0.92 ± 0.17 ◐"
    assert scaling.cell(np.array([1.0, 2.0, 3.0]), 1, None) == "2.0 ± 2.5"


def test_a_wide_network_has_nothing_for_free():
    """What comes with its size alone would pass for structure that grows with the width."""
    config = runs.named("width-256", "joint")[0]
    network = Network.of(config.model, len(config.data.observables))
    probe = Probe(config, network.initialise([0]), np.zeros(10), np.ones(10))
    fresh = Run(SimpleNamespace(config=config), lambda: probe)
    read = {
        scaling.name_of(group, one): one.read(fresh)
        for group, readings in scaling.READINGS.items()
        for one in readings
        if one.claim in ("number-order", "volume-pc", "pairing-pc", "shell-pc")
    }
    assert len(read) == 5
    for name, value in read.items():
        assert not scaling.bounds()[name].bound.satisfied(value), (name, value)


def test_the_tables_and_the_picture_leave_out_what_is_not_trained(monkeypatch, tmp_path):
    monkeypatch.setattr(scaling, "READINGS", {"order": [scaling.Reading("Z", "joint", lambda run: run.value)]})
    values = {"cpu": 0.5, "width-64": 0.25, "steps-7500": 0.75}

    def in_the_store(profile, *_):
        if profile not in values:
            raise NuclrError("not trained")
        return {"joint": [SimpleNamespace(value=values[profile] + shift) for shift in (-0.1, 0.0, 0.1, 9.0, 9.0)]}

    monkeypatch.setattr(scaling, "trained", in_the_store)
    monkeypatch.setattr(scaling, "PICTURE", tmp_path / "scaling.png")
    told = scaling.tell(tmp_path)
    by_width, by_steps, by_rate = told.split("\n\n")
    assert [name.strip() for name in by_width.splitlines()[0].split("|")[1:-1]] == ["width", "bound", "64", "128"]
    assert by_width.splitlines()[2].split("|")[3:5] == [" 0.25 ± 0.25 ", " 0.50 ± 0.25 "]
    assert [name.strip() for name in by_steps.splitlines()[0].split("|")[1:-1]] == [
        "steps, less decay",
        "bound",
        "7,500",
        "15,000",
    ]
    assert "7,500" not in by_rate
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    del values["cpu"]
    with pytest.raises(NuclrError):
        scaling.tell(tmp_path)


# Measured outside of this project on the measured nuclides of AME2020 with z, n >= 8, and on those new since AME2016.
KNOWN_RMS = {"WS3": (284, 585), "DZ": (428, 633), "HFB24": (563, 736), "BSkG3": (631, 789), "FRDM": (680, 881)}


@pytest.mark.parametrize("model", mass_models.MODELS)
def test_the_published_models_are_read_as_they_are(model):
    everything = table.load()
    measured = table.core(everything) & (everything.mass_excess_est == 0) & (everything.z >= 8) & (everything.n >= 8)
    for chosen, known in zip((measured, table.new_since_2016(everything)), KNOWN_RMS[model], strict=True):
        masses = new_nuclides.Masses.of(everything[chosen])
        found = mass_models.mass_excess(model, masses.z, masses.n) - masses.excess
        assert new_nuclides.rms(found) == pytest.approx(known, abs=0.5)


def test_a_model_says_nothing_of_a_nucleus_that_its_table_lacks():
    assert np.isnan(mass_models.mass_excess("WS3", np.array([1]), np.array([150]))).all()


def test_new_nuclides_are_none_of_those_that_train():
    chart = new_nuclides.Chart()
    assert (len(chart.trained.z), len(chart.new.z), chart.beyond) == (2474, 68, 3)
    assert chart.distance.min() == 1
    assert set(chart.new.z) <= set(chart.trained.z)


@dataclass
class Off:
    """A network that knows every binding energy, but for so many keV."""

    by: float
    seed: int = 0

    @property
    def probe(self):
        return self

    def predict(self, z, n, observable):
        assert observable == "binding"
        everything = new_nuclides.Masses.of(table.load())
        known = dict(
            zip(zip(everything.z.tolist(), everything.n.tolist(), strict=True), everything.binding, strict=True)
        )
        return np.array([known[pair] for pair in zip(z.tolist(), n.tolist(), strict=True)]) + self.by


def test_errors_that_differ_in_sign_cancel_in_the_mean_of_networks():
    chart = new_nuclides.Chart()
    assert new_nuclides.rms(new_nuclides.errors_of(Off(300.0), chart.new)) == pytest.approx(300.0)
    assert new_nuclides.rms(new_nuclides.together([Off(300.0), Off(-100.0)], chart.new)) == pytest.approx(100.0)


def test_the_picture_of_the_new_nuclides_is_drawn(tmp_path):
    found = {"binding": [Off(300.0), Off(-100.0)]}
    new_nuclides.draw(new_nuclides.Chart(), found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    by_distance = new_nuclides.by_distance(new_nuclides.Chart(), found)
    assert by_distance.splitlines()[2].split("|")[3].strip() == "100"


def test_the_same_shape_in_another_frame_is_at_no_distance_and_noise_at_nearly_one():
    rng = np.random.default_rng(0)
    shape = rng.standard_normal((118, 10))
    turned = [shape @ np.linalg.qr(rng.standard_normal((10, 10)))[0] for _ in range(3)]
    assert structure.apart(turned) == pytest.approx(np.zeros(3), abs=1e-6)
    assert told(structure.apart(turned), 2) == "0.00 (0.00 to 0.00)"
    assert structure.apart([rng.standard_normal((118, 2)) for _ in range(3)]).min() > 0.9


def test_noise_has_the_place_that_it_is_compared_with():
    noise = np.random.default_rng(0).standard_normal((118, 32))
    assert structure.in_place("Z", noise).shape == (118, 10)
    assert structure.in_place("Z, PC1 and PC2", noise) == pytest.approx(structure.in_place("Z", noise)[:, 1:3])


def test_a_table_side_by_side_leaves_out_a_column_of_nothing():
    name = scaling.name_of("parity split R_P", scaling.READINGS["parity split R_P"][0])
    found = {scaling.name_of(group, one): {} for group, readings in scaling.READINGS.items() for one in readings}
    found[name] = {"clean": np.array([1.0, 1.0, 1.0])}
    header, _, *rows = scaling.side_by_side("x", {"by row": "row", "by nothing": "clean"}, found).splitlines()
    assert [one.strip() for one in header.split("|")[1:-1]] == ["x", "bound", "by nothing"]
    assert any("1.000 ± 0.000" in row for row in rows)


def test_the_staggering_of_the_liquid_drop_is_its_pairing_term():
    z, n = mechanisms.core().z, mechanisms.core().n
    whole, bare = SEMF.predict(z, n), replace(SEMF, coefficients=(*SEMF.coefficients[:-1], 0.0)).predict(z, n)
    for symbol in ("Z", "N"):
        assert parity_wave.staggered(parity_wave.chart(whole), symbol) > 500
        assert abs(parity_wave.staggered(parity_wave.chart(bare), symbol)) < 30


@dataclass
class Planted:
    """A penultimate layer that is a given function of z and n."""

    of: object

    def penultimate(self, z, n, observable):  # noqa: ARG002
        return np.stack(self.of(z.astype(float), n.astype(float)), axis=1)


def test_a_chain_that_bends_at_a_closed_shell_is_told_from_a_smooth_one():
    smooth = Run(None, lambda: Planted(lambda z, n: (n**2 / 100, z, np.zeros_like(n))))
    bent = Run(
        None,
        lambda: Planted(lambda z, n: (n**2 / 100, z, np.minimum.reduce([np.abs(n - c) for c in (28, 50, 82, 126)]))),
    )
    closed, _ = mechanisms.other_numbers("N")
    assert mechanisms.bends(smooth, "N")[closed] == pytest.approx(1.0)
    found = mechanisms.bends(bent, "N")
    assert found[closed].mean() > 5 > mechanisms.highest_by_chance(np.ones_like(found), "N", 0)


def test_untrained_networks_have_no_parity_to_take_out():
    run = fake("cpu", "binding")
    for symbol in ("Z", "N"):
        assert parity_wave.alternation(run.probe.embedding(symbol)) < 3
    shares = mechanisms.active(run.probe)
    assert shares.shape == (4, 128)
    assert 0.2 < shares.mean() < 0.8
