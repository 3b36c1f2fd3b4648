"""Drawings for the terminal, as SVG and for LaTeX; they take data, not models."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.drawing.alignment import matrix as matrix, matrix_svg as matrix_svg
    from seqtree.drawing.brackets import f1_chart as f1_chart
    from seqtree.drawing.charts import Chart as Chart
    from seqtree.drawing.confusion import confusion_chart as confusion_chart
    from seqtree.drawing.latex import draw_latex as draw_latex
    from seqtree.drawing.surprisals import ColouredText as ColouredText
    from seqtree.drawing.traces import trace as trace, trace_svg as trace_svg
    from seqtree.drawing.tree_svg import draw_svg as draw_svg
    from seqtree.drawing.trees import draw as draw
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "alignment": "matrix matrix_svg",
            "brackets": "f1_chart",
            "charts": "Chart",
            "confusion": "confusion_chart",
            "latex": "draw_latex",
            "surprisals": "ColouredText",
            "traces": "trace trace_svg",
            "tree_svg": "draw_svg",
            "trees": "draw",
        },
    )
