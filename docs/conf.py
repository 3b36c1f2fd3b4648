"""The documentation site, from the pages as they are: ``sphinx-build -W -n -c docs . build/site`` in the root."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

project = "seqtree"
copyright = "The seqtree developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
include_patterns = ["*.md", "docs/**.md"]
root_doc = "docs/index"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "seqtree"
html_copy_source = False
html_math_renderer = "mathml"
html_additional_pages = {"index": "index.html"}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
autodoc_inherit_docstrings = False
autodoc_type_aliases = {"npt.ArrayLike": "ArrayLike"}
python_maximum_signature_line_length = 100
nitpick_ignore_regex = [("py:(class|obj)", ".*")]  # types in signatures that are not public

MENUS = (root_doc, "docs/chapters/README")  # the links to whole pages on these are the menu
REFERENCE = "docs/api"
shown: set[int] = set()
logger = logging.getLogger(__name__)


def add_directives(app: Sphinx, page: str, source: list[str]) -> None:
    """Add to a page of Markdown what only Sphinx reads: the menu, and the docstrings of the packages in a table."""
    if page in MENUS:
        for section in re.split(r"^##? ", source[0], flags=re.MULTILINE)[1:]:
            links = [f"{text} <{to}>" for text, to in re.findall(r"\[([^]]+)\]\(([\w/.-]+)\.md\)", section)]
            caption = section.partition("\n")[0]
            source[0] += "\n".join(["\n```{toctree}", ":hidden:", f":caption: {caption}\n", *links, "```\n"])
    if page == REFERENCE:
        for package in re.findall(r"^\| `([\w.]+)`", source[0], re.MULTILINE):
            source[0] += f"\n## {package}\n\n```{{eval-rst}}\n.. automodule:: {package}\n```\n"


def skip_repeated(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """A public name that several packages share is described in the first of them."""
    if what != "module" or skip:
        return None
    repeated = id(value) in shown
    shown.add(id(value))
    return repeated or None


def mathml(writer: Any, node: nodes.math | nodes.math_block) -> None:
    """Formulas are MathML, which browsers show without a script."""
    block = isinstance(node, nodes.math_block)
    formula = convert(node.astext(), display="block" if block else "inline")
    if "\\" in formula:
        logger.warning("a formula with what latex2mathml does not know: %s", node.astext(), location=node)
    writer.body.append(formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_directives)
    app.connect("autodoc-skip-member", skip_repeated)
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
