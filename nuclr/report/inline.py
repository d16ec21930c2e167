"""What matplotlib writes as an SVG file, made into an element that may stand in a page beside others.

Its ids repeat from figure to figure, its style element would reach the whole page, its colours are fixed, and its style
attributes are what a strict content policy forbids. All four are put right here, and what weighs most is made light: coordinates
get two decimals, a hundredth of a point being below what any screen shows, and siblings say once what they share.
"""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from nuclr.report import style

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
DROPPED = ("metadata", "style")
INHERITED = {"font-family", "stroke-dashoffset"}  # the page's font; an offset of zero
ROUNDED = ("d", "x", "y", "width", "height", "points", "cx", "cy", "r")
# What siblings often share, and a group can say once for all: a group of these is drawn as they are.
SHARED = ("clip-path", "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap", "stroke-linejoin",
          "stroke-dasharray", "font-size", "text-anchor")  # fmt: skip
FEW = 3  # of them are not worth a group
NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)")
# A marker of matplotlib: a circle of eight cubic curves, from its lowest point.
CIRCLE = re.compile(r"M (\S+) (\S+)\s+(?:C [\d. -]+\s+){4}C \S+ \S+ \S+ \S+ \S+ \S+\s+(?:C [\d. -]+\s+){3}z\s*")
TOP = re.compile(r"(?:C [\d. -]+?\s+){3}C \S+ \S+ \S+ \S+ (\S+) (\S+)\s")


def inline(text: str, name: str, css_class: str, size: tuple[float, float]) -> str:
    """The file `text` as one `<svg>` element; `name` goes before its ids, `size` (CSS pixels) is how large it stands."""
    root = ElementTree.fromstring(text)
    used = {old: f"{name}-{n}" for n, old in enumerate(dict.fromkeys(re.findall(r'(?:url\(|href=")#([^")]+)', text)))}
    _clean(root, used)
    _gather(root)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    width, height = (f"{pixels:.0f}" for pixels in size)
    root.attrib.update({"class": css_class, "id": name, "width": width, "height": height, "viewBox": box})
    root.attrib["stroke-linejoin"] = "round"
    written = ElementTree.tostring(root, encoding="unicode", default_namespace=None)
    return re.sub(r">\s+<", "><", _without_prefixes(written)).replace(" />", "/>")


def _clean(element: Element, used: dict[str, str]) -> None:
    """Put right everything below `element`; `used` maps the ids that something refers to onto those they get."""
    for child in list(element):
        _clean(child, used)
        if _tag(child) in DROPPED or (_tag(child) in ("g", "defs") and not len(child)) or _invisible(child):
            element.remove(child)
        elif _tag(child) == "g" and not child.attrib:
            place = list(element).index(child)
            element.remove(child)
            for offset, grandchild in enumerate(list(child)):
                element.insert(place + offset, grandchild)
    element.attrib.update(_presentation(element.attrib.pop("style", "")))
    if (href := element.attrib.pop(XLINK + "href", None)) is not None:
        element.attrib["href"] = href
    _round_marker(element)
    for key, value in list(element.attrib.items()):
        if key == "transform" and NO_TURN.fullmatch(value):
            del element.attrib[key]
        elif key == "id":
            if value in used:
                element.attrib["id"] = used[value]
            else:
                del element.attrib["id"]
        else:
            element.attrib[key] = _value(key, value, used)


def _gather(parent: Element) -> None:
    """Put runs of siblings of one kind into a group that has what they share. What is moved or refers stays as it is."""
    for child in parent:
        _gather(child)
    kept: list[Element] = []
    for kind, run in groupby(list(parent), key=_kind):
        members = list(run)
        shared = {
            key: value
            for key, value in members[0].attrib.items()
            if key in SHARED and all(m.get(key) == value for m in members)
        }
        if not kind or len(members) <= FEW or not shared:
            kept += members
            continue
        for member in members:
            for key in shared:
                del member.attrib[key]
        group = Element(f"{SVG}g", shared)
        group.extend(members)
        kept.append(group)
    parent[:] = kept


def _kind(element: Element) -> str:
    """What may share a group: siblings of one tag that are clipped and drawn alike. Empty for what stands alone."""
    tag = _tag(element)
    if "transform" in element.attrib or tag not in ("path", "circle", "use", "text"):
        return ""
    return f"{tag} {element.get('clip-path')} {element.get('stroke-width')}"


def _value(key: str, value: str, used: dict[str, str]) -> str:
    if key in ROUNDED:
        value = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), value)
    if key == "d":
        value = re.sub(r"\s*([MLCQzZ])\s*", r"\1", value).strip()
    if key in ("href", "clip-path"):
        return re.sub(r"#([^)]+)", lambda m: f"#{used[m[1]]}", value) if "#" in value else value
    return style.THEMED.get(value, value)


def _presentation(css: str) -> dict[str, str]:
    """The declarations of a style attribute as presentation attributes, which mean the same."""
    parts = [part.split(":", 1) for part in css.split(";") if ":" in part]
    return {key.strip(): value.strip() for key, value in parts if key.strip() not in INHERITED}


def _round_marker(element: Element) -> None:
    """Write a circle as a circle."""
    d = element.attrib.get("d", "")
    bottom, top = CIRCLE.fullmatch(d), TOP.search(d)
    if _tag(element) == "path" and bottom and top and "id" not in element.attrib:
        x, low, high = float(bottom[1]), float(bottom[2]), float(top[2])
        element.tag = f"{SVG}circle"
        del element.attrib["d"]
        element.attrib.update(cx=f"{x:.6f}", cy=f"{(low + high) / 2:.6f}", r=f"{abs(low - high) / 2:.6f}")


def _invisible(element: Element) -> bool:
    """A path that is neither filled nor stroked: the ground of a transparent figure."""
    kept = element.attrib
    return _tag(element) == "path" and kept.get("fill") == "none" and kept.get("stroke", "none") == "none"


def _tag(element: Element) -> str:
    return element.tag.removeprefix(SVG)


def _without_prefixes(text: str) -> str:
    """ElementTree names the namespace; in HTML an `<svg>` element has it by itself."""
    return re.sub(r"(</?)ns\d+:", r"\1", re.sub(r' xmlns:ns\d+="[^"]*"', "", text))
