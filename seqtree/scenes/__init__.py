"""Scenes: images cut into segments, which the recursive network labels and merges, over a graph, into a tree."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.scenes.config import (
        SceneNetworkConfig as SceneNetworkConfig,
        SceneRecipe as SceneRecipe,
        SegmentSettings as SegmentSettings,
    )
    from seqtree.scenes.data import SceneFolder as SceneFolder
    from seqtree.scenes.evaluation import SceneEvaluation as SceneEvaluation, evaluate as evaluate
    from seqtree.scenes.generated import write_drawn as write_drawn
    from seqtree.scenes.model import SceneParse as SceneParse, SceneParser as SceneParser
    from seqtree.scenes.pictures import read_image as read_image
    from seqtree.scenes.preparing import prepared_scene as prepared_scene
    from seqtree.scenes.task import SceneTask as SceneTask
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "config": "SceneNetworkConfig SceneRecipe SegmentSettings",
            "data": "SceneFolder",
            "evaluation": "SceneEvaluation evaluate",
            "generated": "write_drawn",
            "model": "SceneParse SceneParser",
            "pictures": "read_image",
            "preparing": "prepared_scene",
            "task": "SceneTask",
        },
    )
