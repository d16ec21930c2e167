"""Numbers as a physicist writes them: few digits, but never so few that a value changes sides of a bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

DIGITS = 3


def number(x: float, digits: int = DIGITS) -> str:
    """`x` with `digits` significant digits; the integer part is kept whole below ten million."""
    x = x + 0.0  # minus zero is no number to show
    if x != 0 and not 1e-4 <= abs(x) < 1e7:
        return f"{x:.{digits - 1}e}"
    # Two roundings: the first finds the decade (9.996 is 10.0 at three digits), the second prints it.
    decade = int(f"{x:.{digits - 1}e}".split("e")[1])
    text = f"{x:.{max(digits - 1 - decade, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def texts(values: Sequence[float], ends: Iterable[float] = ()) -> list[str]:
    """`values` with as few digits as keep each of them on its own side of every one of `ends`."""
    ends = tuple(ends)
    shown: list[str] = []
    for digits in range(DIGITS, 18):
        shown = [number(value, digits) for value in values]
        if all(
            _side(value, end) == _side(float(text), end)
            for value, text in zip(values, shown, strict=True)
            for end in ends
        ):
            break
    return shown


def estimate(value: float | None, interval: tuple[float, float] | None, ends: Iterable[float] = ()) -> str:
    """ "0.997 (0.994 to 0.999)", or the value alone where the interval is a point or there is none."""
    if value is None and interval is None:
        return ""
    if interval is None:
        assert value is not None
        return texts([value], ends)[0]
    low, high = interval
    if value is None:
        first, last = texts([low, high], ends)
        return first if low == high else f"{first} to {last}"
    middle, first, last = texts([value, low, high], ends)
    return middle if low == high else f"{middle} ({first} to {last})"


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """`text` with a capital first letter."""
    return text[:1].upper() + text[1:]


def _side(value: float, end: float) -> int:
    return (value > end) - (value < end)
