"""The packaged table against an independent build of it, against its own physics, and against tampering."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nuclr.data import build, table
from nuclr.errors import NuclrError
from nuclr.physics.nuclides import MASS_EXCESS_H, MASS_EXCESS_N, SYMBOLS


@pytest.fixture(scope="module")
def nuclei() -> pd.DataFrame:
    return table.load()


@pytest.fixture(scope="module")
def mass(nuclei: pd.DataFrame) -> pd.Series:
    return nuclei.set_index(["z", "n"]).mass_excess


@pytest.fixture(scope="module")
def oracle() -> pd.DataFrame:
    beside = Path(__file__).parents[3] / "shared" / "reference" / "nuclides.csv"
    path = Path(os.environ.get("NUCLR_ORACLE", beside))
    if not path.is_file():
        pytest.skip("the independent build of the table is not here: name nuclides.csv in NUCLR_ORACLE")
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def test_equal_to_an_independent_build_in_every_column(nuclei: pd.DataFrame, oracle: pd.DataFrame) -> None:
    assert list(nuclei) == list(oracle)
    pd.testing.assert_frame_equal(nuclei, oracle, check_dtype=False, check_exact=True)


def test_ground_states_of_ame2020(nuclei: pd.DataFrame) -> None:
    assert len(nuclei) == 3558
    assert nuclei[["z", "n"]].apply(tuple, axis=1).is_monotonic_increasing
    assert not nuclei.duplicated(["z", "n"]).any()
    assert list(nuclei.symbol) == [SYMBOLS[z] for z in nuclei.z]
    assert nuclei.radius.notna().sum() == 909
    assert nuclei.new_vs_ame2016.sum() == 74


def test_sets_of_nuclei(nuclei: pd.DataFrame) -> None:
    core = nuclei[table.core(nuclei)]
    assert (len(core), (core.mass_excess_est == 0).sum()) == (3338, 2548)
    assert (core.z.min(), core.z.max(), core.n.min(), core.n.max()) == (1, 118, 1, 177)
    assert table.heavy(nuclei).sum() == 3230
    assert table.well_measured(nuclei).sum() == 2354


def test_exact_anchors(nuclei: pd.DataFrame) -> None:
    at = nuclei.set_index(["z", "n"])
    assert at.mass_excess[6, 6] == 0.0  # 12C defines the unit
    assert (at.mass_excess[1, 0], at.mass_excess[0, 1]) == (MASS_EXCESS_H, MASS_EXCESS_N)
    assert at.be_from_me[1, 1] == pytest.approx(2224.566, abs=0.001)  # the deuteron
    assert at.radius[82, 126] == pytest.approx(5.5012)
    assert at.disc_year[1, 0] == 1920


def test_62ni_is_the_most_tightly_bound(nuclei: pd.DataFrame) -> None:
    core = nuclei[table.core(nuclei)]
    best = core.loc[(core.be_from_me / core.a).idxmax()]
    assert (best.z, best.n) == (28, 34)
    assert best.be_from_me / best.a == pytest.approx(8794.56, abs=0.005)


def test_binding_energy_is_the_column_of_ame_without_its_rounding(nuclei: pd.DataFrame) -> None:
    difference = (nuclei.be_from_me - nuclei.be).abs()
    assert difference[nuclei.be_a_est == 0].max() < 0.1
    assert 140 < difference.max() < 143.5


@pytest.mark.parametrize(
    ("column", "dz", "dn", "emitted"),
    [
        ("qa", -2, -2, (2, 2)),
        ("qbm", 1, -1, None),
        ("qbm_n", 1, -2, (0, 1)),
        ("qec", -1, 1, None),
        ("sn", 0, -1, (0, 1)),
        ("sp", -1, 0, (1, 0)),
    ],
)
def test_energies_are_differences_of_masses(
    nuclei: pd.DataFrame, mass: pd.Series, column: str, dz: int, dn: int, emitted: tuple[int, int] | None
) -> None:
    parents = nuclei[nuclei[column].notna() & (nuclei.a > 1)]
    daughter = mass.reindex(pd.MultiIndex.from_arrays([parents.z + dz, parents.n + dn])).to_numpy()
    released = parents.mass_excess.to_numpy() - daughter - (mass[emitted] if emitted else 0.0)
    sign = -1 if column in ("sn", "sp") else 1  # a separation energy is spent, not released
    exact = (parents[f"{column}_est"] == 0) & (parents.mass_excess_est == 0)
    difference = np.abs(parents[column] - sign * released)
    assert exact.sum() > 2000
    assert difference[exact].max() < 0.0025  # the masses are rounded to 1 eV each
    assert difference.max() < 1.6  # estimates are rounded to 1 keV


def test_electron_capture_is_beta_decay_backwards(nuclei: pd.DataFrame) -> None:
    at = nuclei.set_index(["z", "n"])
    captured = at.qec.dropna()
    back = pd.MultiIndex.from_arrays([captured.index.get_level_values(0) - 1, captured.index.get_level_values(1) + 1])
    assert len(captured) > 3000
    np.testing.assert_array_equal(captured.to_numpy(), -at.qbm.reindex(back).to_numpy())


def test_the_frame_is_the_callers_own() -> None:
    first = table.load()
    first["z"] = 0
    assert table.load().z.max() == 118


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / build.TABLE.name
    path.write_bytes(build.TABLE.read_bytes())
    path.with_suffix(".json").write_bytes(build.PROVENANCE.read_bytes())
    return path


def test_a_copy_loads(copy: Path, nuclei: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(table.load(copy), nuclei)


def test_a_changed_table_is_one_clear_error(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"8071.31806", b"8071.31807"))
    with pytest.raises(
        NuclrError, match=r"ame2020\.csv has changed: expected sha256 \w{64}, found \w{64}; run `nox -s data`"
    ):
        table.load(copy)


def test_a_missing_table_is_one_clear_error(copy: Path) -> None:
    copy.unlink()
    with pytest.raises(NuclrError, match=r"ame2020\.csv cannot be read.*nox -s data"):
        table.load(copy)


@pytest.mark.parametrize("content", ["", "{}", '{"table": {}}'])
def test_a_provenance_without_checksum_is_one_clear_error(copy: Path, content: str) -> None:
    copy.with_suffix(".json").write_text(content)
    with pytest.raises(NuclrError, match=r"ame2020\.json does not name the table's sha256"):
        table.load(copy)


def test_changed_radii_are_one_clear_error(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RADII_SHA256", "0" * 64)
    with pytest.raises(
        NuclrError, match=r"2013-Angeli\.csv has changed: expected sha256 0{64}.*nucleardatapy==1\.0\.2"
    ):
        table.load(copy)
