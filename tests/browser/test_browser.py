"""The report in a real browser: it asks for nothing, complains of nothing, fits a phone, and can be read without eyes or mouse.

The made-up page holds every verdict and every kind of panel. NUCLR_PAGE names a further one, such as that of a real judging;
the screenshots stay in the folder NUCLR_SCREENSHOTS where it is given.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

pytestmark = [
    pytest.mark.skipif("NUCLR_BROWSER" not in os.environ, reason="needs a browser: nox -s browser"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no Chromium here: apt-get install chromium"),
]

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: nox -s browser")

from report import sample, sample_figures  # noqa: E402  (tests/ is on the path, as for the other samples)

from nuclr.report import comparison, page  # noqa: E402

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"desktop": (1280, 900), "phone": (360, 780)}
PATIENCE = 120_000  # milliseconds, for a machine that trains meanwhile


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages to look at, by name: everything at once, nothing but damage, two judgings compared, and NUCLR_PAGE."""
    folder = tmp_path_factory.mktemp("pages")
    evidence = sample.write(folder)
    golden = folder / "golden" / "cpu" / "evidence.json"
    golden.parent.mkdir(parents=True)
    earlier = sample.evidence()
    earlier["claims"]["shell-pc"]["verdict"] = "reproduced"
    golden.write_text(json.dumps(earlier), encoding="utf-8")
    damaged = folder / "damaged.json"
    damaged.write_text('{"schema": 1, "claims": {"helix": {}}}', encoding="utf-8")
    found = {name: folder / f"{name}.html" for name in ("sample", "damaged", "compared")}
    page.write(evidence, found["sample"], golden.parents[1])
    page.write(damaged, found["damaged"], folder / "nowhere")
    comparison.write(golden, evidence, found["compared"])
    if "NUCLR_PAGE" in os.environ:
        found["real"] = Path(os.environ["NUCLR_PAGE"]).resolve()
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("NUCLR_SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def view(browser: Any, pages: dict[str, Path]) -> Iterator[Callable[..., Any]]:
    """view("sample", "phone", color_scheme="dark"): the page opened; its `requests` and `complaints` are what it made."""
    contexts = []

    def opened(name: str, size: str = "desktop", **options: Any) -> Any:
        width, height = WIDTHS[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        tab = context.new_page()
        tab.requests, tab.complaints = [], []
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.goto(pages[name].as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()


def names() -> list[str]:
    return ["sample", "damaged", "compared", *(["real"] if "NUCLR_PAGE" in os.environ else [])]


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_complains_of_nothing_and_fits(
    view: Callable[..., Any], pages: dict[str, Path], shots: Path, name: str, size: str, scheme: str
) -> None:
    tab = view(name, size, color_scheme=scheme)
    assert [url for url in tab.requests if not url.startswith("data:image/png;")] == [pages[name].as_uri()]
    assert tab.complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= WIDTHS[size][0]
    picture = tab.screenshot(path=shots / f"{name}-{size}-{scheme}.png")
    assert len(picture) > 10_000
    explorers = tab.locator("#explore-data")
    extra = len(explorers.text_content()) if explorers.count() else 0
    assert pages[name].stat().st_size - extra < 3_000_000
    assert pages[name].stat().st_size < 8_000_000


def test_dark_and_light_are_different_and_follow_the_reader(view: Callable[..., Any]) -> None:
    grounds = {
        scheme: view("sample", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(250, 250, 248)", "dark": "rgb(16, 18, 21)"}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(view: Callable[..., Any], name: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab = view(name, color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(tab).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


def test_nothing_can_run_on_the_page(view: Callable[..., Any]) -> None:
    tab = view("sample")
    script = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); window.ran"
    assert tab.evaluate(f"(() => {{ {script.replace('; window.ran', '; return window.ran ?? null')} }})()") is None
    assert any("Content Security Policy" in text for text in tab.complaints)


def test_the_keyboard_reaches_the_table_and_opens_a_card(view: Callable[..., Any]) -> None:
    tab = view("sample")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the table of claims"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('.claims') !== null")
    tab.locator("#claim-helix summary").last.focus()
    tab.locator("#claim-helix > details").last.evaluate("one => one.open = false")
    tab.locator("#claim-helix > details > summary").last.press("Enter")
    assert tab.locator("#claim-helix > details").last.evaluate("one => one.open")


def test_every_picture_of_the_gallery_is_drawn_and_leads_to_its_card(view: Callable[..., Any]) -> None:
    tab = view("sample")
    boxes = tab.locator(".gallery .again use").evaluate_all(
        "all => all.map(one => [one.getBoundingClientRect().width, document.querySelector(one.getAttribute('href')) !== null])"
    )
    assert boxes
    assert all(width > 50 and there for width, there in boxes)
    tab.locator("#paper-figure-8 .thumbs").first.click()
    tab.wait_for_function("scrollY > 0 && document.querySelector(':target') !== null")
    assert tab.evaluate("document.querySelector(':target').id") == "figure-of-helix-figure-08"


def painted(tab: Any, name: str) -> str:
    """What is on a canvas, as a data URL."""
    return str(tab.locator(f"[data-explore={name}] canvas").evaluate("canvas => canvas.toDataURL()"))


def test_the_helix_turns_and_stretches(view: Callable[..., Any], shots: Path) -> None:
    tab = view("sample")
    place = tab.locator("[data-explore=helix]")
    assert place.locator(".still").is_hidden()
    seen = [painted(tab, "helix")]
    place.locator("canvas").press("ArrowLeft")
    seen.append(painted(tab, "helix"))
    place.locator("input[name=frequency]").fill("2")
    seen.append(painted(tab, "helix"))
    place.locator("select[name=by]").select_option("parity")
    seen.append(painted(tab, "helix"))
    assert len(set(seen)) == 4
    place.screenshot(path=shots / "helix.png")
    assert tab.complaints == []


def test_the_chart_tells_the_nuclide_and_its_value(view: Callable[..., Any], shots: Path) -> None:
    tab = view("sample")
    place = tab.locator("[data-explore=chart]")
    told = place.locator("output")
    assert told.text_content().startswith("²⁰⁸Pb, Z = 82, N = 126: ")
    place.locator("canvas").press("ArrowDown")
    assert told.text_content().startswith("²⁰⁷Tl, Z = 81, N = 126: ")
    before = painted(tab, "chart")
    place.locator("select[name=what]").select_option(index=1)
    assert painted(tab, "chart") != before
    box = place.locator("canvas").bounding_box()
    tab.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.75 * box["height"])
    place.screenshot(path=shots / "chart.png")
    assert tab.complaints == []


def test_the_landscape_moves_with_n_and_can_be_read(view: Callable[..., Any], shots: Path) -> None:
    tab = view("sample")
    place = tab.locator("[data-explore=landscape]")
    assert place.locator(".still").is_hidden()
    told, slider = place.locator("output"), place.locator("input[name=n]")
    arrays = sample_figures.figures()["ring-is-stability"][1]
    angle, (across, up) = 2 * np.pi * 40 / 90, arrays["0.points"][42]
    height = 8 + 0.5 * (np.cos(angle) * across + np.sin(angle) * up)  # a slope, so exact between the recorded places
    assert told.text_content() == (
        f"N = 60: most bound is Tc, Z = 43, of 11 known. {height:.2f} MeV per nucleon at Z = 43 (Tc, known beside this N)."
    )
    assert slider.get_attribute("aria-valuetext") == "N = 60"
    seen = [painted(tab, "landscape")]
    slider.press("ArrowRight")  # as one without a mouse moves it
    assert told.text_content().startswith("N = 70: most bound is Sn, Z = 50, of 11 known. ")
    assert slider.get_attribute("aria-valuetext") == "N = 70"
    seen.append(painted(tab, "landscape"))
    place.locator("select[name=by]").select_option("energy")
    assert "MeV at Z = 50 (Sn, known beside this N)." in told.text_content()
    seen.append(painted(tab, "landscape"))
    place.locator("canvas").press("ArrowUp")
    seen.append(painted(tab, "landscape"))
    box = place.locator("canvas").bounding_box()
    tab.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.1 * box["height"])
    assert "MeV at PC1 1." in told.text_content()
    seen.append(painted(tab, "landscape"))
    assert len(set(seen)) == 5
    slider.press("End")
    assert told.text_content().startswith("N = 100: ")
    place.screenshot(path=shots / "landscape.png")
    assert tab.complaints == []


def test_the_landscape_promises_no_more_than_its_verdict(view: Callable[..., Any]) -> None:
    tab = view("sample")
    source = tab.locator("[data-explore=landscape] .sources")
    assert "The most bound Z moves round the ring" in source.text_content()
    assert source.locator(".verdict").text_content().strip() == "not run"


def test_a_finger_reads_the_landscape(view: Callable[..., Any]) -> None:
    tab = view("sample", "phone", has_touch=True)
    canvas = tab.locator("[data-explore=landscape] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    tab.touchscreen.tap(box["x"] + 0.85 * box["width"], box["y"] + 0.15 * box["height"])
    assert "per nucleon at PC1 1." in tab.locator("[data-explore=landscape] output").text_content()


def test_a_run_leads_to_its_training(view: Callable[..., Any], shots: Path) -> None:
    tab = view("sample")
    tab.locator("#claim-helix > details").last.evaluate("one => one.open = true")
    link = tab.locator("#claim-helix a", has_text="embeddings").first
    target = link.get_attribute("href")
    assert tab.locator(target).is_hidden()
    link.click()
    tab.wait_for_function("document.querySelector(':target').closest('details').open")
    boxes = tab.locator(f"{target} .curve-plot path").evaluate_all("all => all.map(one => one.getBoundingClientRect())")
    assert len(boxes) == 3 * 3 * 2  # three plots, three seeds, two lines each
    assert all(box["width"] > 100 for box in boxes)
    tab.locator(target).screenshot(path=shots / "training.png")
    assert tab.complaints == []


@pytest.mark.parametrize("name", [name for name in names() if name in ("sample", "real")])
@pytest.mark.parametrize("size", WIDTHS)
def test_the_text_beside_an_interval_crosses_nothing(view: Callable[..., Any], name: str, size: str) -> None:
    tab = view(name, size)
    texts, strips = (
        tab.locator(f".intervals {part}").evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())")
        for part in (".name:not(:empty)", ".strip-of")
    )
    assert texts
    assert len(texts) == len(strips)
    for text, strip in zip(texts, strips, strict=True):
        assert text["right"] <= strip["left"] or text["bottom"] <= strip["top"]
        assert text["left"] >= 0
        assert max(text["right"], strip["right"]) <= WIDTHS[size][0]
    crossing = tab.locator(".intervals text").evaluate_all(
        "all => all.filter(one => { const box = one.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth; })"
        ".map(one => one.textContent)"
    )
    assert crossing == []


def test_without_javascript_the_stills_stand(view: Callable[..., Any]) -> None:
    tab = view("sample", java_script_enabled=False)
    tab.locator(".training summary").first.click()
    assert tab.locator(".training .curve-plot").first.is_visible()
    assert tab.locator(".training table").first.is_visible()
    for name in ("helix", "landscape", "chart"):
        assert tab.locator(f"[data-explore={name}] .still").is_visible()
        assert tab.locator(f"[data-explore={name}] canvas").is_hidden()


def test_it_prints_with_what_is_folded_away_opened(view: Callable[..., Any], shots: Path) -> None:
    tab = view("sample")
    tab.emulate_media(media="print")
    assert tab.locator("#claim-helix .how").first.is_visible()
    assert tab.locator(".training .curve-plot").first.is_visible()
    assert tab.locator(".training summary").first.is_visible()  # it has the name of the run
    assert not tab.locator(".skip").is_visible()
    assert tab.pdf(path=shots / "sample.pdf").startswith(b"%PDF")
