"""The slips of the paper, from slips.toml: a section of the report, and docs/slips.md.

python -m nuclr.report.slips > docs/slips.md
"""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuclr.report.words import signs

SOURCE = Path(__file__).parent / "slips.toml"
PARTS = {
    "text": "What the text says",
    "fact": "What is so",
    "evidence": "How we know",
    "stakes": "What hangs on it",
}
TITLE = "Slips of the paper"
LEAD = (
    "Where the paper, or the published code that its numbers come from, is not what the text says. "
    "The paper, its code and its notebooks are public, which is why it can be known. "
    "What is said of the code was read from it, and none of it is used here. "
    "A test computes each number again, but for those that are printed in the paper or said to be read."
)
HOW = (
    "The test is `python -m pytest tests/test_slips.py`. The sentences stand in `nuclr/report/slips.toml`, from which "
    "`python -m nuclr.report.slips` writes this page."
)


@dataclass(frozen=True)
class Slip:
    """One slip: sentences by the keys of PARTS, their numbers filled in; the ids of the claims that hang on it.

    numbers and cited hold the numbers as they are printed: those that tests/test_slips.py computes, and those that were read.
    """

    id: str
    title: str
    sentences: dict[str, str]
    claims: tuple[str, ...]
    numbers: dict[str, str]
    cited: dict[str, str]


def load(path: Path = SOURCE) -> list[Slip]:
    """All slips, in their order."""
    return [_slip(table) for table in tomllib.loads(path.read_text(encoding="utf-8"))["slips"]]


def _slip(table: dict[str, Any]) -> Slip:
    numbers, cited = table.get("numbers", {}), table.get("cited", {})
    sentences = {part: table[part].strip().format(**numbers, **cited) for part in PARTS}
    return Slip(table["id"], table["title"], sentences, tuple(table["claims"]), numbers, cited)


def markdown(slips: list[Slip]) -> str:
    """The page docs/slips.md."""
    head = f"# {TITLE}\n\n{_wrapped(f'{LEAD} {HOW}', '')}\n"
    return "\n".join([head, *(_section(number, slip) for number, slip in enumerate(slips, 1))])


def _section(number: int, slip: Slip) -> str:
    parts = {heading: signs(slip.sentences[part]) for part, heading in PARTS.items()}
    parts["Claims"] = ", ".join(f"`{claim}`" for claim in slip.claims)
    items = [_wrapped(f"* **{heading}.** {sentences}") for heading, sentences in parts.items()]
    return "\n".join([f"## {number}. {slip.title}", "", *items, ""])


def _wrapped(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, 130, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    print(markdown(load()), end="")
