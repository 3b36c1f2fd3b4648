"""The tagger's result for one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from seqtree.text.chunks import Chunk, chunks


@dataclass(frozen=True)
class Tagging:
    """The words of a sentence as given, and the tag of each.

    ``log_probability`` (natural logarithm) is that of the tags together, ``probabilities`` (n,) are those of each tag
    over all paths; None where they were not asked for. ``intent`` and its probability: None for a tagger without
    intents.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    log_probability: float | None = None
    probabilities: tuple[float, ...] | None = None
    intent: str | None = None
    intent_probability: float | None = None

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks of the sentence; none where tags are no chunk tags."""
        return chunks(self.tags)

    def _repr_html_(self) -> str:
        """The words with their tags below them, for notebooks."""
        rows = ("".join(f"<td>{escape(one)}</td>" for one in row) for row in (self.words, self.tags))
        intent = "" if self.intent is None else f"<caption>{escape(self.intent)}</caption>"
        return f"<table>{intent}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
