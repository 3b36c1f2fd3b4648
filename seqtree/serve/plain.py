"""The page for browsers without scripts: a form, and the answer as pictures and as the service's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from seqtree.serve.operations import Json
from seqtree.serve.requests import MAX_TEXT

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>seqtree</title>
  <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/static/style.css">
</head>
<body>
  <header><h1>seqtree</h1></header>
  <main>
    <form action="/plain">
      <label for="text">Text</label>
      <textarea id="text" name="text" rows="4" dir="auto" maxlength="{most}" spellcheck="false">
{text}</textarea>
      <div class="row">
        <label>What to do <select name="do">{choices}</select></label>
        <button type="submit">Go</button>
      </div>
    </form>
    {answer}
  </main>
  <footer><p><a href="/">The page with scripts</a></p></footer>
</body>
</html>
"""


def page(choices: Sequence[tuple[str, str]], chosen: str, text: str, answer: Json | None, error: str | None) -> str:
    """The page as HTML; ``choices``: values of the list with what they are called, of which one is ``chosen``.

    A line break before ``text`` is the one that HTML drops.
    """
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(name)}</option>'
        for value, name in choices
    )
    told = f'<p class="error" role="alert">{escape(error)}</p>' if error else "" if answer is None else _answer(answer)
    return PAGE.format(most=MAX_TEXT, text=escape(text), choices=options, answer=told)


def _answer(answer: Json) -> str:
    pictures = "".join(
        f'<div class="card"><div class="paper" tabindex="0">{svg}</div></div>' for svg in _pictures(answer)
    )
    return f'{pictures}<div class="card"><pre>{escape(_shown(_without_pictures(answer)))}</pre></div>'


def _pictures(part: Any) -> Iterator[str]:
    """The SVG of an answer, wherever it is; seqtree drew it, and escaped every text in it."""
    if isinstance(part, dict):
        if isinstance(part.get("svg"), str):
            yield part["svg"]
        part = list(part.values())
    for one in part if isinstance(part, list) else ():
        yield from _pictures(one)


def _without_pictures(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_pictures(one) for name, one in part.items() if name != "svg"}
    return [_without_pictures(one) for one in part] if isinstance(part, list) else part


def _shown(part: Any, space: str = "") -> str:
    """JSON with what holds nothing but numbers and texts on one line."""
    inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    if not any(isinstance(one, dict | list) for one in inner):
        return json.dumps(part, ensure_ascii=False)
    deeper = space + "  "
    shown = [_shown(one, deeper) for one in inner]
    if isinstance(part, dict):
        shown = [f"{json.dumps(name, ensure_ascii=False)}: {one}" for name, one in zip(part, shown, strict=True)]
    begin, end = "{}" if isinstance(part, dict) else "[]"
    return f"{begin}\n{deeper}" + f",\n{deeper}".join(shown) + f"\n{space}{end}"
