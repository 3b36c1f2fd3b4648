"""The one training loop: optimiser, schedule, averaging, clipping, divergence guard, progress, checkpoints."""
