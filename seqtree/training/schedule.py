"""The learning rate over a run, as a function of the share of its budget that is spent."""

from __future__ import annotations

import math

from seqtree.training.settings import TrainingSettings


def rate_factor(settings: TrainingSettings, progress: float) -> float:
    """The factor on the learning rate at ``progress`` in [0, 1]: a linear warm-up, then cosine, linear or constant.

    Cosine (Loshchilov and Hutter 2017): final + (1 - final) (1 + cos(pi p)) / 2; linear: final + (1 - final) (1 - p).
    The plateau schedule is constant here; the loop lowers its rate when the validation loss stalls.
    """
    progress = min(max(progress, 0.0), 1.0)
    falling = {"cosine": 0.5 * (1.0 + math.cos(math.pi * progress)), "linear": 1.0 - progress}
    factor = settings.final_rate + (1.0 - settings.final_rate) * falling.get(settings.schedule, 1.0)
    if progress < settings.warmup:
        factor *= max(progress / settings.warmup, 1e-3)
    return factor
