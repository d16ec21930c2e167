"""The claims file: the real one loads, and no typing error in it passes for a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuclr.errors import NuclrError
from nuclr.verdict import registry

from .small_paper import COSINE, PAPER, ROOT, SMALL_PAPER, claim, measure


def written(folder: Path, text: str) -> Path:
    path = folder / "paper.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_paper_itself_loads() -> None:
    claims = registry.load(ROOT / "claims" / "paper.toml").claims
    assert len(claims) == 29
    assert str(claims["dataset"].measures["nuclei"].bound) == "between 3330 and 3396"
    assert claims["helix-length"].module == claims["helix-radius"].module == "test_helix_perturbations.py"
    assert claims["number-order"].module == "test_number_order.py"
    assert [name for name, claim in claims.items() if not claim.judged_in("cpu")] == ["train-fits"]
    assert not claims["dataset"].needs_control
    assert claims["helix"].needs_control


def test_a_claim_says_why_it_has_no_test_or_has_one() -> None:
    paper = registry.load(ROOT / "claims" / "paper.toml")
    for name, found in paper.claims.items():
        assert paper.module_of(found).is_file() == (found.untested is None), name


def test_fields_are_those_of_the_table(tmp_path: Path) -> None:
    found = registry.load(written(tmp_path, SMALL_PAPER))
    volume = found.claims["volume"]
    assert found.paper["title"] == "A small paper"
    assert (volume.title, volume.figures, volume.seeds, volume.profiles) == ("Title of volume", (1,), 3, ())
    cosine = volume.measures["cosine"]
    assert (cosine.label, cosine.unit, cosine.paper, cosine.range) == ("the cosine", "1", 1.0, (0.0, 1.0))


def test_the_digest_follows_the_table_and_nothing_else(tmp_path: Path) -> None:
    first = registry.load(written(tmp_path, PAPER + COSINE)).claims["volume"].digest
    moved = registry.load(written(tmp_path, f"# a comment\n{SMALL_PAPER}")).claims["volume"].digest
    changed = registry.load(written(tmp_path, PAPER + COSINE.replace("0.95", "0.94"))).claims["volume"].digest
    assert first == moved
    assert first != changed


def test_the_digest_does_not_follow_why_there_was_no_test(tmp_path: Path) -> None:
    before = registry.load(written(tmp_path, PAPER + COSINE.replace("why =", 'untested = "So."\nwhy ='))).claims[
        "volume"
    ]
    after = registry.load(written(tmp_path, PAPER + COSINE)).claims["volume"]
    assert (before.untested, after.untested) == ("So.", None)
    assert before.digest == after.digest


WRONG = {
    "unknown key of a claim": (
        COSINE.replace("why =", "wy ="),
        "claim 'volume': There is no key 'wy': did you mean 'why'?",
    ),
    "missing key": (COSINE.replace('why = "Because."', ""), "claim 'volume': the key 'why' is missing."),
    "unknown key of a measure": (
        COSINE.replace("above =", "abve ="),
        "claim 'volume', measure 'cosine': There is no key 'abve': did you mean 'above'?",
    ),
    "no bound": (
        COSINE.replace("above = 0.95", ""),
        "claim 'volume', measure 'cosine': it has no bound: give above, at_least, below or at_most.",
    ),
    "empty bound": (
        COSINE.replace("above = 0.95", "above = 2.0\nbelow = 1.0"),
        "claim 'volume', measure 'cosine': no value satisfies the bound > 2 and < 1: "
        "the lower end must be below the upper.",
    ),
    "two lower ends": (
        COSINE.replace("above = 0.95", "above = 0.5\nat_least = 0.6"),
        "claim 'volume', measure 'cosine': the bound has both above and at_least: keep one.",
    ),
    "infinite bound": (
        COSINE.replace("above = 0.95", "above = inf"),
        "claim 'volume', measure 'cosine': the bound {'above': inf} is not finite: give numbers.",
    ),
    "text as bound": (
        COSINE.replace("above = 0.95", 'above = "0.95"'),
        "claim 'volume', measure 'cosine': above is '0.95', it must be a number.",
    ),
    "boolean as bound": (
        COSINE.replace("above = 0.95", "above = true"),
        "claim 'volume', measure 'cosine': above is True, it must be a number.",
    ),
    "empty range": (
        COSINE.replace("[0.0, 1.0]", "[1.0, 1.0]"),
        "claim 'volume', measure 'cosine': range is [1.0, 1.0], give [low, high] with low below high.",
    ),
    "bound outside the range": (
        COSINE.replace("[0.0, 1.0]", "[0.0, 0.5]"),
        "claim 'volume', measure 'cosine': the bound > 0.95 and the range [0.0, 0.5] leave nothing to be decided.",
    ),
    "no measures": (claim("volume") + "[claims.volume.measures]", "claim 'volume': measures is empty"),
    "negative seeds": (
        COSINE.replace("seeds = 3", "seeds = -1"),
        "claim 'volume': seeds is -1, it cannot be negative.",
    ),
    "seeds not whole": (
        COSINE.replace("seeds = 3", "seeds = 3.0"),
        "claim 'volume': seeds is 3.0, it must be a whole number.",
    ),
    "module elsewhere": (
        COSINE.replace("seeds = 3", 'seeds = 3\nmodule = "../test.py"'),
        "claim 'volume': module is '../test.py', give the name of a Python file beside this one.",
    ),
    "empty text": (COSINE.replace('"Because."', '" "'), "claim 'volume': why is empty."),
    "figure not a number": (
        COSINE.replace("[1]", '["one"]'),
        "claim 'volume': figures is 'one', it must be a whole number.",
    ),
    "bad name": (
        claim("Vol", measure("Vol", "x", "above = 0.0")),
        "claim 'Vol': a name has lower-case letters, digits and single hyphens.",
    ),
    "no claims": ("[claims]", "there are no claims: add a table [claims.<id>]."),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, PAPER + text)
    with pytest.raises(NuclrError) as caught:
        registry.load(path)
    assert str(caught.value).startswith(f"In {path}: {message}")


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(NuclrError, match=r"none\.toml cannot be read .*--claims-file"):
        registry.load(tmp_path / "none.toml")
    with pytest.raises(NuclrError, match=r"paper\.toml is not valid TOML"):
        registry.load(written(tmp_path, "schema = = 1"))
    with pytest.raises(NuclrError, match="schema is 2, this version of nuclr reads 1"):
        registry.load(written(tmp_path, SMALL_PAPER.replace("schema = 1", "schema = 2")))
