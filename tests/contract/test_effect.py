"""Options without effect beside the others are refused, for every task."""

import re

import pytest

from seqtree.errors import InputError
from seqtree.settings import GIVEN, fields_of
from seqtree.tasks import TASKS, named


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("lm", {"momentum": 0.9}, "momentum: only with --optimizer sgd"),
        ("parser", {"beta2": 0.5, "optimizer": "sgd"}, "beta2: only with --optimizer adamw"),
        ("classify", {"final_rate": 0.1, "schedule": "constant"}, "final_rate: only with --schedule cosine or linear"),
        ("tag", {"plateau_factor": 0.1}, "plateau_factor: only with --schedule plateau"),
        ("image", {"ema_decay": 0.9, "averaging": "none"}, "ema_decay: only with --averaging ema"),
        ("lm", {"one_hot": True, "embedding": 12}, "embedding: only without --one-hot"),
        ("lm", {"nonlinearity": "relu"}, "nonlinearity: only with --cell rnn"),
        ("lm", {"condition_size": 8}, "condition_size: only with --condition"),
        ("parser", {"kappa": 1.0}, "kappa: only with --objective structured"),
        ("parser", {"explore": 0.5, "objective": "structured"}, "explore: only with --objective stepwise or softmax"),
        ("tag", {"characters": 0, "character_embedding": 9}, "character_embedding: only with --characters"),
        ("tag", {"max_ngrams": 5}, "max_ngrams: only with --ngrams"),
        ("tree", {"update_dropout": 0.1, "composition": "tanh"}, "update_dropout: only with --composition lstm"),
        ("scene", {"segments": 5}, "segments: only with --method slic"),
        ("scene", {"method": "slic", "scale": 5.0}, "scale: only with --method felzenszwalb"),
        ("scene", {"leaves_only": True, "objective": "softmax"}, "objective: only without --leaves-only"),
        ("translate", {"context": "first", "attention": "additive"}, "attention: only with --context attention"),
        ("tree", {"hidden": 900}, "hidden: only with --encoder rnn or lstm or gru or cnn"),
        ("classify", {"encoder": "none", "layers": 3}, "layers: only with --encoder rnn or lstm or gru or cnn"),
        ("parser", {"encoder": "cnn", "weight_drop": 0.2}, "weight_drop: only with --encoder rnn or lstm or gru"),
        ("tag", {"valid": ("a.conll",), "valid_share": 0.4}, "valid_share: only without --valid"),
        ("lm", {"valid": ("a.txt",), "valid_from": "lines"}, "valid_from: only without --valid"),
        ("words", {"vector_words": 5}, "vector_words: only with --vectors"),
        (
            "lm",
            {"patience": 5},
            "patience: only with --early-stopping, or with --schedule plateau, or with --averaging asgd",
        ),
        ("parser", {"tag_column": 2, "init_from": "open"}, "tag_column: only with --tagged"),
    ],
)
def test_an_option_that_does_nothing(task: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
        named(TASKS[task].task).resolve(options)


def test_it_may_be_off_and_may_be_given_where_it_counts() -> None:
    lines = named(TASKS["lm"].task).resolve({"documents": "lines", "valid": ("a.txt",)})
    assert lines.validation.valid == ("a.txt",)
    task = named(TASKS["scene"].task)
    task.resolve({"explore": 0.0, "pair_epochs": 0, "leaves_only": True})
    assert task.resolve({"method": "slic", "segments": 5}).segments.segments == 5
    assert named(TASKS["parser"].task).resolve({"preset": "large", "kappa": 1.0}).objective.kappa == 1.0
    assert task.resolve({"segments": 5, "resume": True}).run.resume  # as the run was begun
    for user in ({"early_stopping": True}, {"schedule": "plateau"}, {"averaging": "asgd"}):
        assert task.resolve({"patience": 5, **user}).training.patience == 5
    tree = named(TASKS["tree"].task).resolve({"init_from": "open", "character_embedding": 32})
    assert tree.network.characters and tree.network.character_embedding == 32  # which the preset has not


@pytest.mark.parametrize("task", TASKS)
def test_weights_decay_with_sgd_only_where_it_is_asked_for(task: str) -> None:
    """A preset's decay was chosen for AdamW; at the rates of SGD it would leave little of the weights."""
    task_of = named(TASKS[task].task)
    assert task_of.resolve({}).training.weight_decay > 0
    assert task_of.resolve({"optimizer": "sgd"}).training.weight_decay == 0.0
    assert task_of.resolve({"optimizer": "sgd", "weight_decay": 0.2}).training.weight_decay == 0.2


@pytest.mark.parametrize("task", TASKS)
def test_sgd_has_a_rate_of_its_own(task: str) -> None:
    """Models learn next to nothing with AdamW's."""
    task_of = named(TASKS[task].task)
    assert task_of.resolve({}).training.learning_rate < 0.1
    assert task_of.resolve({"optimizer": "sgd"}).training.learning_rate == 1.0
    assert task_of.resolve({"optimizer": "sgd", "momentum": 0.75}).training.learning_rate == 0.25
    assert task_of.resolve({"optimizer": "sgd", "learning_rate": 0.2}).training.learning_rate == 0.2


@pytest.mark.parametrize("task", TASKS)
def test_what_an_option_needs_is_an_option_with_these_values(task: str) -> None:
    groups = named(TASKS[task].task).options.variant("").recipe.groups.values()
    known = {name: one for group in groups for name, one in fields_of(type(group)).items()}
    for name, one in known.items():
        for other, values in (*one.about.only.items(), *one.about.one_of.items()):
            assert other in known, name
            if values is not GIVEN:
                for value in values:
                    known[other].check(value)
