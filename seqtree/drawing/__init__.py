"""Drawings for the terminal and as SVG; they take data, not models."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.drawing.alignment import matrix as matrix, matrix_svg as matrix_svg
    from seqtree.drawing.confusion import plot as plot
    from seqtree.drawing.traces import trace as trace, trace_svg as trace_svg
    from seqtree.drawing.tree_svg import draw_svg as draw_svg
    from seqtree.drawing.trees import draw as draw

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "alignment": "matrix matrix_svg",
        "confusion": "plot",
        "traces": "trace trace_svg",
        "tree_svg": "draw_svg",
        "trees": "draw",
    },
)
