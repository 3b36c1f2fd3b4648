"""The documentation site is built without a warning, has every page and name, and asks no other host for anything."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("sphinx", "myst_parser", "furo", "latex2mathml"):
    pytest.importorskip(needed, reason="the documentation's packages are not installed")

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the command that CONTRIBUTING.md gives, in a folder of its own."""
    command = re.search(r"^sphinx-build (.*) build/site ", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    assert command is not None
    options = command[1].split()
    assert {"-W", "-n"} <= set(options)
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-P", "-m", "sphinx", "-q", *options, str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def _page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_page_is_in_the_menu(site: Path) -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    menu = set(
        re.findall(
            r'<li class="toctree-l[12][^>]*><a class="[^"]*" href="([^"]*)"', _page(site, "docs/chapters/README.html")
        )
    )
    found = {(site / "docs" / "chapters" / link).resolve() for link in menu if not link.startswith("#")}
    for page in pages:
        made = site / page.relative_to(ROOT).with_suffix(".html")
        assert made.exists()
        assert page.name in ("index.md", "README.md") or made in found, page


def test_every_public_name_is_described(site: Path) -> None:
    """With its docstring, once; links to it by the other packages that have it lead there."""
    described = re.findall(r'<dt class="sig[^>]*id="(seqtree[\w.]*)"', _page(site, "docs/api.html"))
    packages = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    objects = {}
    for package in packages:
        module = importlib.import_module(package)
        for name in module.__all__:
            if callable(getattr(module, name)) and not name.startswith("__"):
                objects.setdefault(id(getattr(module, name)), f"{package}.{name}")
    assert set(objects.values()) <= set(described)
    assert "seqtree.Parser.parse" in described


def test_formulas_are_mathml(site: Path) -> None:
    for chapter in (ROOT / "docs" / "chapters").glob("*.md"):
        prose = re.sub(r"^```.*?^```$|`[^`]*`", "", chapter.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        formulas = re.findall(r"(\$\$?)[^$]+\1", prose)
        made = re.findall(r"<math .*?</math>", _page(site, f"docs/chapters/{chapter.stem}.html"), re.DOTALL)
        assert len(made) == len(formulas) > 0
        assert sum('display="block"' in formula for formula in made) == formulas.count("$$")
    assert "<mfrac>" in _page(site, "docs/chapters/7-recursive.html")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_pages_in_a_browser(site: Path) -> None:
    """No page asks another host for anything, tells an error, or is wider than a phone."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    asked, told, wide = set(), [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(color_scheme="dark", viewport={"width": 360, "height": 800}).new_page()
        page.on("request", lambda request: asked.add(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        first = site / "index.html"
        page.goto(first.as_uri())
        page.wait_for_url("**/docs/index.html")
        pages = [file for file in site.rglob("*.html") if file != first and "_modules" not in file.parts]
        assert len(pages) > 30
        for file in pages:
            page.goto(file.as_uri())
            if page.evaluate(WIDE):
                wide.append(str(file.relative_to(site)))
        browser.close()
    assert [url for url in asked if not url.startswith((site.as_uri(), "data:"))] == []
    assert told == []
    assert wide == []
