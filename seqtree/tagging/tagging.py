"""The tagger's result for one sentence."""

from __future__ import annotations

from dataclasses import dataclass

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
