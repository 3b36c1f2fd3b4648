"""The page in a real browser, used as a person would: every view, on two widths and in light and dark."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serve_helpers import TEXT, listening, models

from seqtree.drawing.scenes import png
from seqtree.language.model import LanguageModel
from seqtree.scenes.generated import draw_scene

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Browser, Page, expect, sync_playwright
else:
    reason = "Playwright and axe-playwright-python are not installed"
    Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    Browser, Page, expect, sync_playwright = (
        playwright.Browser,
        playwright.Page,
        playwright.expect,
        playwright.sync_playwright,
    )

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

HOSTILE = "<img src=x onerror=alert(1)> & <script>alert(2)</script>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    served = models(folder)
    runs = {name: folder / name for name in ("tag", "classify")}
    ids = served["letters"].vocabulary.encode(list(TEXT))
    with listening(served, runs=runs, texts={"letters": lambda: ids}, rate=10_000) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=[("light", 1100), ("dark", 360)], ids=["light", "dark-phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """A page that has told no error, and has asked no other host for anything."""
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address.rstrip("/"))
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    told: list[str] = []
    opened.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: told.append(str(error)))
    opened.on("dialog", lambda dialog: told.append(f"a dialog: {dialog.message}"))
    asked: list[str] = []
    opened.on("request", lambda one: asked.append(one.url))
    opened.goto(address)
    yield opened
    assert told == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    context.close()


def _violations(page: Page) -> list[str]:
    """The rules of axe-core that the page breaks."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:80]}" for one in found for node in one["nodes"]]


def _wide(page: Page) -> bool:
    """Whether the page as a whole has to be moved sideways."""
    found: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return found


def test_parse(page: Page) -> None:
    tree = page.locator("#view-parse .paper svg").first
    expect(tree).to_have_attribute("aria-label", re.compile(r"^Tree: \(S "))
    page.fill("#parse-text", "Time flies like an arrow.")
    expect(page.locator("#view-parse .paper svg title").first).to_contain_text("Time")
    page.fill("#view-parse [name=k]", "2")
    expect(page.get_by_role("heading", name="2 of 2")).to_be_visible()
    expect(page.get_by_text("Where it differs from the first:")).to_be_visible()
    page.get_by_role("button", name="Brackets", exact=True).first.click()
    expect(page.locator("#view-parse pre").first).to_contain_text("(NN Time)")
    page.get_by_role("button", name="Copy brackets").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "(NN Time)" in page.evaluate("navigator.clipboard.readText()")
    assert _violations(page) == []
    assert not _wide(page)


def test_pictures_are_saved(page: Page) -> None:
    page.locator("#view-parse .paper svg").first.wait_for()
    for name, begin in (("SVG", b"<svg "), ("PNG", b"\x89PNG"), ("JSON", b"{")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).first.click()
        assert download.value.path().read_bytes().startswith(begin)
        assert download.value.suggested_filename == f"tree-1-1.{name.lower()}"


def test_a_picture_too_wide_for_twice_its_size_is_saved_smaller(page: Page) -> None:
    page.fill("#parse-text", " ".join(["the old keeper walked to the harbour and"] * 60))
    drawing = page.locator("#view-parse .paper svg")
    expect(drawing.locator("title").first).to_contain_text("harbour and the old keeper")
    assert drawing.evaluate("svg => svg.width.baseVal.value") > 16_000
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).first.click()
    header = download.value.path().read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert int.from_bytes(header[16:20], "big") == 16_000


def test_merges_are_played_and_stepped_through(page: Page) -> None:
    page.fill("#parse-text", "The cat sat.")
    expect(page.locator("summary")).to_have_text("Merge by merge (3)")
    page.locator("summary").click()
    told = page.locator("details [role=status]")
    expect(told).to_contain_text("Merge 3")
    expect(told).to_contain_text("the only one possible")
    page.get_by_role("button", name="Back").click()
    expect(told).to_contain_text("Merge 2")
    size = page.locator("details svg").bounding_box()
    page.get_by_label("Merge", exact=True).focus()
    page.keyboard.press("Home")
    expect(told).to_have_text("4 words, nothing merged yet.")
    assert page.locator("details svg").bounding_box() == size  # nothing jumps
    page.get_by_role("button", name="Play").click()
    expect(told).to_contain_text("Merge 3", timeout=30_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_address_holds_the_sentence(page: Page, address: str) -> None:
    page.fill("#parse-text", "Go home.")
    expect(page.locator("#view-parse .paper svg title").first).to_contain_text("Go home")
    page.wait_for_url("**/#parse?text=Go+home.*")
    url = page.url
    page.goto("about:blank")
    page.goto(url)
    expect(page.locator("#parse-text")).to_have_value("Go home.")
    expect(page.locator("#view-parse .paper svg title").first).to_contain_text("Go home")


def test_an_address_shows_the_same_on_an_open_page_as_on_a_new_one(page: Page, address: str) -> None:
    trees = page.locator("#view-parse .card")
    page.goto(f"{address}#parse?text=The+cat+sat.+It+ran.&k=3&tokenized=true")
    expect(trees).to_have_count(1)
    page.evaluate("location.hash = '#parse?text=The+dog+slept.+We+left.'")
    expect(trees).to_have_count(2)
    expect(page.locator("#view-parse [name=k]")).to_have_value("1")
    expect(page.locator("#view-parse [name=tokenized]")).not_to_be_checked()
    page.fill("#parse-text", "")
    page.wait_for_url("**/#parse?text=&k=1*")
    page.reload()
    expect(page.locator("#parse-text")).to_have_value("")


def test_an_address_may_name_a_model_or_a_figure_that_is_gone(page: Page, address: str) -> None:
    for view, answer in (("language", ".token"), ("parse", ".paper svg")):
        page.goto(f"{address}#{view}?text=The+cat&model=gone")
        expect(page.locator("#status")).to_contain_text("There is no model “gone” here; this is ")
        expect(page.locator(f"#view-{view} {answer}").first).to_be_visible()
    page.goto(f"{address}#runs?figure=nosuch&model=gone")
    expect(page.locator("#status")).to_be_empty()
    expect(page.locator("#view-runs polyline")).to_have_count(2)


def test_surprisal_and_what_was_expected(page: Page) -> None:
    page.get_by_role("link", name="Language").click()
    page.fill("#language-text", "the cat\nsat on ☃")
    tokens = page.locator("#view-language .token")
    expect(tokens).to_have_count(16)
    expect(page.locator("#view-language .token.unknown")).to_have_text("☃")
    tokens.nth(2).click()
    expect(page.get_by_role("heading", name="“e”")).to_be_visible()
    expect(page.locator("#view-language table tbody tr")).to_have_count(10)
    assert _violations(page) == []
    assert not _wide(page)


def test_passages_of_the_training_text_are_underlined(page: Page) -> None:
    page.get_by_role("link", name="Language").click()
    page.fill("#language-text", "no the cat sat on the mat a dog ran to the man")
    expect(page.locator("#view-language .token")).to_have_count(46)
    assert page.locator("#view-language .copied").count() == 0  # there is a line end in the text
    page.fill("#language-text", "no the cat sat on the mat\na dog ran to the man")
    expect(page.locator("#view-language .token.copied")).to_have_count(43)
    expect(page.get_by_text("Underlined: word for word in the training text, one passage")).to_be_visible()
    assert _violations(page) == []
    page.fill("#view-language [name=temperature]", "0")
    page.fill("#view-language [name=tokens]", "5")
    page.fill("#language-text", "the cat sat on the mat\na dog ran to the")
    page.get_by_role("button", name="Go on from it").click()
    expect(page.locator("#view-language .sampled")).not_to_be_empty()
    expect(page.get_by_text("Underlined: word for word")).to_be_visible()


def test_sampling_streams_and_stops(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled_at_once = LanguageModel.sample_pieces

    def slowly(*arguments: Any) -> Iterator[str]:
        for piece in sampled_at_once(*arguments):
            time.sleep(0.01)
            yield piece

    page.get_by_role("link", name="Language").click()
    page.fill("#view-language [name=tokens]", "5000")
    page.fill("#view-language [name=seed]", "1")
    expect(page.locator("#view-language .token")).to_have_count(9)
    page.fill("#language-text", "the ")
    stop = page.get_by_role("button", name="Stop", exact=True)
    with monkeypatch.context() as patched:
        patched.setattr(LanguageModel, "sample_pieces", slowly)  # too long to be over before it is stopped
        page.get_by_role("button", name="Go on from it").click()
        expect(page.locator("#view-language .sampled")).not_to_be_empty()
        stop.click()
        expect(stop).to_be_disabled()
    page.wait_for_timeout(500)  # longer than what is typed waits: its answer does not take the place of the sample
    length = "document.querySelector('#view-language .sampled').textContent.length"
    assert 0 < page.evaluate(length) < 5000
    page.fill("#view-language [name=tokens]", "50")
    page.get_by_role("button", name="Go on from it").click()
    expect(stop).to_be_disabled()
    assert page.evaluate(length) == 50


def test_phrases_are_on_a_map_and_in_a_table(page: Page) -> None:
    page.get_by_role("link", name="Phrases").click()
    page.fill("#phrases-text", "The old man sat on the mat. A young man sat on a chair.")
    expect(page.get_by_role("rowheader", name="A young man", exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="The old man", exact=True))
    expect(row.get_by_role("cell").first).to_have_text("NP")
    expect(row.get_by_role("cell").last).to_have_text(re.compile(r"^A young man \([01]\.\d\d\), .+, .+\)$"))
    expect(page.locator("#view-phrases .paper svg")).to_have_attribute("aria-label", re.compile(r"^Map of \d+ phrases"))
    assert _violations(page) == []
    assert not _wide(page)


def test_a_scene_is_parsed(page: Page, tmp_path: Path) -> None:
    image, _ = draw_scene(1, (24, 32))
    (tmp_path / "scene.png").write_bytes(png(image))
    (tmp_path / "note.png").write_bytes(b"no image")
    page.get_by_role("link", name="Scene").click()
    page.set_input_files("#view-scene [name=file]", str(tmp_path / "scene.png"))
    drawing = page.locator("#view-scene .paper img")
    expect(drawing).to_have_attribute("alt", re.compile(r"^The classes over the image: \w+ \d+ %"))
    assert drawing.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_text(re.compile(r"^Segments \(\d+\)$")).click()
    expect(page.locator("#view-scene tbody tr").first).to_be_visible()
    assert _violations(page) == []
    assert not _wide(page)
    page.set_input_files("#view-scene [name=file]", str(tmp_path / "note.png"))
    expect(page.locator("#view-scene .error")).to_have_text("note.png: not an image that this browser can read")


def test_a_unit_is_looked_at_step_by_step(page: Page) -> None:
    page.get_by_role("link", name="Inside").click()
    page.fill("#inside-text", "a man (a cat) sat")
    tokens = page.locator("#view-inside .token")
    expect(tokens).to_have_count(17)
    expect(page.get_by_text("After “t”, token 17 of 17")).to_be_visible()
    page.get_by_role("button", name="Back", exact=True).locator("visible=true").click()
    expect(page.get_by_text("After “a”, token 16 of 17")).to_be_visible()
    tokens.nth(6).click()
    expect(page.get_by_text("After “(”, token 7 of 17")).to_be_visible()
    expect(page.locator("#view-inside pre")).to_contain_text("h = o tanh(c) = ")
    unit = page.locator("#view-inside table button").nth(1)
    name = unit.text_content()
    unit.click()
    expect(page.locator("#view-inside")).to_contain_text(f"{name} (of 8, from 0 on) in layer 1 (of 1), output h")
    page.select_option("#view-inside [name=value]", "f")
    expect(page.locator("#view-inside")).to_contain_text("forget gate f: from 0.")
    page.select_option("#view-inside [name=feature]", "digit")
    expect(page.locator("#view-inside")).to_contain_text("there is nothing of that kind")
    assert _violations(page) == []
    assert not _wide(page)
    page.reload()
    expect(page.locator("#inside-text")).to_have_value("a man (a cat) sat")
    expect(page.locator("#view-inside [name=model] option")).to_have_text(["letters"])


def test_a_blank_is_filled_by_a_model_that_reads_both_sides(page: Page) -> None:
    page.get_by_role("link", name="Language").click()
    page.select_option("#view-language [name=model]", "blanks")
    expect(page.get_by_role("button", name="Go on from it")).to_be_disabled()
    page.fill("#language-text", "the c____t")
    expect(page.get_by_text("What fills the blank")).to_be_visible()
    expect(page.locator("#view-language table tbody tr")).to_have_count(10)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
def test_without_scripts_there_is_a_page_with_the_same_answers(
    browser: Browser, address: str, scheme: Any, width: int
) -> None:
    looks: Any = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    context = browser.new_context(java_script_enabled=False, **looks)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_role("link", name="one without scripts").click()
    page.fill("#text", "The cat sat.")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".paper svg")).to_be_visible()
    expect(page.locator("pre")).to_contain_text('"words": [')
    expect(page.locator("#text")).to_have_value("The cat sat.")
    page.select_option("[name=do]", "classify moods")
    page.fill("#text", "a fine day\n" + HOSTILE)
    page.get_by_role("button", name="Go").click()
    expect(page.locator("pre")).to_contain_text('"probability": 0.')
    expect(page.locator("#text")).to_have_value("a fine day\n" + HOSTILE)
    shown = page.url
    context.close()
    context = browser.new_context(**looks)
    page = context.new_page()
    page.goto(shown)
    assert _violations(page) == []
    assert not _wide(page)
    context.close()


def test_curves_of_runs_are_live(page: Page, tmp_path_factory: pytest.TempPathFactory, address: str) -> None:
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("#view-runs polyline")).to_have_count(2)
    page.select_option("#view-runs [name=figure]", "loss")
    page.check("#view-runs [name=logarithmic]")
    expect(page.locator("#view-runs caption")).to_have_text("loss")
    run = next(one for one in tmp_path_factory.getbasetemp().glob("served*/tag/metrics.jsonl"))
    kept = run.read_text(encoding="utf-8")
    try:
        with run.open("a", encoding="utf-8") as file:
            file.write('{"step": 99, "epoch": 9, "loss": 0.125, "seconds": 9}\nbroken\n')
        expect(page.locator("#view-runs tbody td", has_text=re.compile("^0.125$")).last).to_be_visible()
        with run.open("a", encoding="utf-8") as file:
            file.write('{"step": 100, "epoch": 9, "loss": 0.00021021525, "seconds": 9}\n')
        expect(page.locator("#view-runs tbody td", has_text=re.compile("^0.0002102$")).last).to_be_visible()
    finally:
        run.write_text(kept, encoding="utf-8")
    assert _violations(page) == []
    assert not _wide(page)


def test_curves_come_back_with_the_service(page: Page) -> None:
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("#view-runs polyline")).to_have_count(2)
    page.evaluate("() => { window.asked = window.fetch; window.fetch = () => Promise.reject(new Error('gone')); }")
    expect(page.locator("#view-runs .error")).to_have_text("gone", timeout=30_000)
    page.evaluate("() => { window.fetch = window.asked; }")
    expect(page.locator("#view-runs polyline")).to_have_count(2, timeout=30_000)


def test_tags_and_classes(page: Page) -> None:
    page.get_by_role("link", name="Tag").click()
    page.fill("#tag-text", "the dog ran")
    expect(page.locator("#view-tag .word")).to_have_count(3)
    page.fill("#tag-text", "the dog " + "w" * 300)
    expect(page.locator("#view-tag .word").last).to_contain_text("www")
    assert not _wide(page)
    assert _violations(page) == []
    page.get_by_role("link", name="Classify").click()
    page.fill("#classify-text", "a poor day")
    expect(page.locator("#view-classify tbody tr")).to_have_count(2)
    assert _violations(page) == []
    assert not _wide(page)


def test_labelled_trees_and_translations(page: Page) -> None:
    page.get_by_role("link", name="Label").click()
    page.fill("#tree-text", "It works well.")
    expect(page.locator("#view-tree .paper svg title")).to_contain_text("It works well")
    page.locator("#view-tree summary").click()
    expect(page.locator("#view-tree tbody tr")).to_have_count(3)
    assert _violations(page) == []
    page.get_by_role("link", name="Translate").click()
    page.fill("#translate-text", "abc\nde")
    expect(page.locator("#view-translate .card")).to_have_count(2)
    assert _violations(page) == []
    assert not _wide(page)


@pytest.mark.parametrize("text", [HOSTILE, "שלום עולם", "猫坐在垫子上。", "a" * 300])
def test_what_is_typed_stays_text(page: Page, text: str) -> None:
    page.fill("#parse-text", text)
    expect(page.locator("#view-parse .paper svg").first).to_be_visible()
    page.get_by_role("link", name="Language").click()
    page.fill("#language-text", text)
    expect(page.locator("#view-language .token")).to_have_count(len(text))
    assert page.locator("main img, main script").count() == 0
    assert not _wide(page)


def test_an_answer_to_a_view_that_was_left_does_not_bring_it_back(page: Page) -> None:
    """The address is that of the view that was chosen, also before the page has heard of it."""
    page.fill("#parse-text", "A cat sat.")
    page.evaluate(
        """() => {
        location.hash = "language";
        document.getElementById("parse-text").dispatchEvent(new Event("input", { bubbles: true }));
        document.querySelector("#view-parse form")?.dispatchEvent(new Event("submit", { cancelable: true }));
        }"""
    )
    page.wait_for_timeout(1000)
    expect(page.locator("#language-text")).to_be_visible()
    assert page.url.split("#")[1].startswith("language")


def test_what_is_wrong_is_told_on_the_page(browser: Browser, address: str) -> None:
    opened = browser.new_page()
    opened.goto(address)
    opened.fill("#parse-text", "a " * 2001)
    expect(opened.locator("#view-parse .error")).to_contain_text("expected at most 2,000")
    opened.fill("#parse-text", " ")
    expect(opened.locator("#view-parse .answer")).to_be_empty()
    opened.close()


def test_by_keyboard_alone(page: Page) -> None:
    page.locator("#view-parse .paper svg").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#parse-text")).to_be_focused()
    page.get_by_role("link", name="Tag").click()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#tag-text")).to_be_visible()


def test_without_scripts_it_says_where_else_to_go(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(address)
    expect(opened.get_by_role("link", name="/openapi.json")).to_be_visible()
    context.close()


def test_a_page_elsewhere_cannot_use_it(browser: Browser, address: str) -> None:
    """Another origin (here the same machine by another name) neither sends a request nor reads an answer."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(address.replace("127.0.0.1", "localhost"))
    asked: Any = opened.evaluate(
        """async (address) => {
            const options = { method: "POST", headers: { "Content-Type": "text/plain" }, body: '{"text": "a"}' };
            try {
                return (await fetch(address + "api/parse", options)).status;
            } catch (error) {
                return String(error);
            }
        }""",
        address,
    )
    assert "TypeError" in json.dumps(asked)
    context.close()
