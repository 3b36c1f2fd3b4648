"""Images to classes: IDX files, networks by plan or over rows, training, measuring, single pictures."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.images.config import (
        Augmentation as Augmentation,
        ImageNetworkConfig as ImageNetworkConfig,
        ImageRecipe as ImageRecipe,
    )
    from seqtree.images.data import ImageSet as ImageSet
    from seqtree.images.evaluation import ImageEvaluation as ImageEvaluation, evaluate as evaluate
    from seqtree.images.generated import digits as digits
    from seqtree.images.model import ImageClassifier as ImageClassifier
    from seqtree.images.network import ImageNetwork as ImageNetwork
    from seqtree.images.plan import parse_plan as parse_plan
    from seqtree.images.reading import Reading as Reading, picture as picture
    from seqtree.images.sources import read_set as read_set
    from seqtree.images.task import ImageTask as ImageTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "Augmentation ImageNetworkConfig ImageRecipe",
            "data": "ImageSet",
            "generated": "digits",
            "evaluation": "ImageEvaluation evaluate",
            "model": "ImageClassifier",
            "network": "ImageNetwork",
            "plan": "parse_plan",
            "reading": "Reading picture",
            "sources": "read_set",
            "task": "ImageTask",
        },
    )
