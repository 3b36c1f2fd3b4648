"""The learning rate over a run, as a function of the share of its budget that is spent."""

from __future__ import annotations

import math

from seqtree.training.settings import TrainingSettings


def rate_factor(settings: TrainingSettings, progress: float) -> float:
    """The factor on the learning rate at ``progress`` in [0, 1]: a linear warm-up, then cosine or constant.

    Cosine (Loshchilov and Hutter 2017): final + (1 - final) (1 + cos(pi p)) / 2. The plateau schedule is constant here;
    the loop lowers its rate when the validation loss stalls.
    """
    progress = min(max(progress, 0.0), 1.0)
    factor = 1.0
    if settings.schedule == "cosine":
        factor = settings.final_rate + (1.0 - settings.final_rate) * 0.5 * (1.0 + math.cos(math.pi * progress))
    if progress < settings.warmup:
        factor *= max(progress / settings.warmup, 1e-3)
    return factor
