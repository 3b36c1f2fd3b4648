"""The report of a run: what ``seqtree.train`` returns and ``--json`` prints."""

from __future__ import annotations

from html import escape
from typing import Any


class Report(dict[str, Any]):
    """Figures and facts of a run by name; a notebook shows those that are single values as a table."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = "".join(
            f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(_shown(value))}</td></tr>"
            for name, value in self.items()
            if not isinstance(value, (dict, list, tuple))
        )
        return f"<table>{rows}</table>"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
