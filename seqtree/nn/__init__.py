"""The chapters' networks as torch modules: recurrent layers, dropout that is locked over time, losses."""

from seqtree.nn.losses import linear_cross_entropy
from seqtree.nn.recurrent import Recurrent

__all__ = ["Recurrent", "linear_cross_entropy"]
