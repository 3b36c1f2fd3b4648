"""The chapters' networks as torch modules: recurrent and recursive layers, words in their sentence, a CRF, losses."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.nn.attention import Attention as Attention
    from seqtree.nn.config import WordEncoderConfig as WordEncoderConfig
    from seqtree.nn.crf import CRF as CRF
    from seqtree.nn.losses import linear_cross_entropy as linear_cross_entropy
    from seqtree.nn.network import Network as Network
    from seqtree.nn.pooling import Pooling as Pooling
    from seqtree.nn.recurrent import Recurrent as Recurrent
    from seqtree.nn.recursive import Composition as Composition, compose_forest as compose_forest
    from seqtree.nn.words import WordEncoder as WordEncoder
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "attention": "Attention",
            "config": "WordEncoderConfig",
            "crf": "CRF",
            "losses": "linear_cross_entropy",
            "network": "Network",
            "pooling": "Pooling",
            "recurrent": "Recurrent",
            "recursive": "Composition compose_forest",
            "words": "WordEncoder",
        },
    )
