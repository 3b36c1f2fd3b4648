"""What every run can be told: how to train, where, and with what; no torch."""

from __future__ import annotations

from dataclasses import dataclass

from seqtree.settings import GIVEN, NOT_GIVEN, Settings, setting

MAX_SEED = (1 << 32) - 1
MAX_THREADS = 4096
MAX_PROCESSES = 1024
MAX_VECTOR_WORDS = 10_000_000
LARGE = 1000  # a vocabulary that counting pays for
VECTORS = ("vectors", "vector_words")  # starts from files, which a task may not have
NO_WORDS = (*VECTORS, "counted_vectors")  # what a task without words hides


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """Budget, optimiser, schedule and averaging.

    The budget is ``minutes`` if given, otherwise ``epochs``; the schedule runs over all of it. ``patience`` counts
    evaluations without improvement: after that many, the plateau schedule lowers the rate, ASGD starts to average, and
    ``early_stopping`` stops.
    """

    epochs: float = setting(
        10.0, "Budget in passes over the training data; by default more where these are few.", above=0
    )
    minutes: float | None = setting(
        None,
        "Budget in minutes, with reading and measuring; the learning-rate schedule adapts to it.",
        above=0,
        unset="no limit",
    )
    optimizer: str = setting("adamw", "Optimiser.", choices=("adamw", "sgd"))
    learning_rate: float = setting(
        3e-3, "Peak learning rate; with sgd 1, unless given, and less with momentum.", above=0
    )
    weight_decay: float = setting(
        0.01, "Weight decay, on matrices only: decoupled with adamw; 0 with sgd, unless given.", minimum=0
    )
    beta2: float = setting(
        0.99, "Decay rate of AdamW's second moments.", minimum=0, below=1, only={"optimizer": ("adamw",)}
    )
    momentum: float = setting(0.0, "Momentum of SGD.", minimum=0, below=1, only={"optimizer": ("sgd",)})
    clip: float = setting(1.0, "Largest norm of the gradient; a larger gradient is scaled down to it.", above=0)
    schedule: str = setting(
        "cosine",
        "How the learning rate changes after the warm-up.",
        choices=("cosine", "linear", "plateau", "constant"),
    )
    warmup: float = setting(0.03, "Share of the budget over which the learning rate rises.", minimum=0, below=1)
    final_rate: float = setting(
        0.0,
        "Learning rate at the end, as a share of the peak (cosine and linear).",
        minimum=0,
        below=1,
        only={"schedule": ("cosine", "linear")},
    )
    plateau_factor: float = setting(
        0.25,
        "Factor on the learning rate when validation stalls (plateau).",
        minimum=0,
        below=1,
        only={"schedule": ("plateau",)},
    )
    averaging: str = setting(
        "ema",
        "Average of the weights that is evaluated and kept; asgd starts when validation stalls.",
        choices=("none", "ema", "asgd"),
    )
    ema_decay: float = setting(
        0.99, "Decay of the exponential moving average.", minimum=0, below=1, only={"averaging": ("ema",)}
    )
    patience: int = setting(
        3,
        "Evaluations without improvement that count as a stall.",
        minimum=1,
        one_of={"early_stopping": (True,), "schedule": ("plateau",), "averaging": ("asgd",)},
    )
    early_stopping: bool = setting(False, "Stop when validation stalls.")
    evaluations: int = setting(12, "Evaluations in the whole run.", minimum=1)
    checkpoint_seconds: float = setting(60.0, "Seconds between two checkpoints.", above=0)
    seed: int = setting(0, "Random seed.", minimum=0, maximum=MAX_SEED)


@dataclass(frozen=True)
class BatchSettings(Settings):
    """``batch``: the rows (sentences, images, streams of text) of one training step."""

    batch: int = setting(32, "Rows (sentences, images, streams of text) of one training step.", minimum=1)


@dataclass(frozen=True)
class ValidationSettings(Settings):
    """``valid`` are the sources to validate on; without any, ``valid_share`` of the training data is held out."""

    valid: tuple[str, ...] = setting(
        (), "Validation data; may be given several times.", metavar="FILE", unset="held out from the training data"
    )
    valid_share: float = setting(
        0.1,
        "Share of the training data to hold out for validation; 0 for none.",
        minimum=0,
        below=1,
        only={"valid": NOT_GIVEN},
    )


@dataclass(frozen=True)
class RunSettings(Settings):
    """Where a run lives and where it computes."""

    out: str | None = setting(
        None, "Run folder to write.", metavar="PATH", unset="runs/ and the name of the first source"
    )
    resume: bool = setting(False, "Continue the run in --out; start it if there is none.")
    init_from: str | None = setting(
        None,
        "Go on from a model of the same kind; parser, tag, classify, tree and words also start from a parser, from "
        "what words train made, or from a language model over words.",
        metavar="MODEL",
        unset="random weights",
    )
    vectors: str | None = setting(
        None,
        "Start the word vectors from this file: word2vec's text form or GloVe's, also as .gz.",
        metavar="FILE",
        unset="no file",
    )
    vector_words: int = setting(
        50_000,
        "How many words of --vectors are known even if the training data has none of them: the first of the file.",
        minimum=0,
        maximum=MAX_VECTOR_WORDS,
        only={"vectors": GIVEN},
    )
    counted_vectors: bool | None = setting(
        None,
        "Start the vectors of tokens from counts of which stand beside which in the training data, or from random "
        "numbers.",
        flags="--counted-vectors/--random-vectors",
        unset=f"counted for {LARGE:,} of them or more",
    )
    half: bool = setting(False, "Write the model with 16 bits per weight: half the size.")
    precision: str = setting(
        "auto",
        "Number format of the larger products; auto takes bfloat16 where the processor has it.",
        choices=("auto", "fp32", "bf16"),
    )
    device: str = setting("auto", "Where to compute: auto, cpu, cuda, cuda:1 or mps.")
    threads: int | None = setting(None, "CPU threads.", minimum=1, maximum=MAX_THREADS, unset="all cores")
    processes: int = setting(
        1,
        "Processes that share the rows of every batch, each with a GPU or CPU threads of its own: for several GPUs or "
        "machines. On one CPU, use --threads instead.",
        minimum=1,
        maximum=MAX_PROCESSES,
    )
