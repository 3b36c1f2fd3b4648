"""Labels for the nodes of trees: the recursive network with a softmax at every node, training, measuring, labelling."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.trees.config import TreeNetworkConfig as TreeNetworkConfig, TreeRecipe as TreeRecipe
    from seqtree.trees.evaluation import TreeEvaluation as TreeEvaluation, evaluate as evaluate
    from seqtree.trees.formats import format_labelling as format_labelling
    from seqtree.trees.model import Labelling as Labelling, TreeClassifier as TreeClassifier
    from seqtree.trees.task import TreeTask as TreeTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "TreeNetworkConfig TreeRecipe",
            "evaluation": "TreeEvaluation evaluate",
            "formats": "format_labelling",
            "model": "Labelling TreeClassifier",
            "task": "TreeTask",
        },
    )
