"""The scene parser: what it learns, its losses by hand, what it gives out, and ``seqtree scene``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from command_helpers import Run, caller, refused
from language_helpers import model as language_model
from runs import Messages
from scene_helpers import SIZE, SMALL, need_extra, scene_folder

need_extra()
from PIL import Image  # noqa: E402

from seqtree.errors import InputError  # noqa: E402
from seqtree.nn.recursive import compose_forest  # noqa: E402
from seqtree.scenes.batches import SceneGraph, make_scene_batch  # noqa: E402
from seqtree.scenes.config import PRESETS, SceneObjective, SegmentSettings  # noqa: E402
from seqtree.scenes.data import SceneFolder  # noqa: E402
from seqtree.scenes.evaluation import evaluate  # noqa: E402
from seqtree.scenes.features import feature_count  # noqa: E402
from seqtree.scenes.generated import CLASSES, draw_scene as scene  # noqa: E402
from seqtree.scenes.model import FALL, SceneParser, with_nodes_above  # noqa: E402
from seqtree.scenes.objectives import SceneLoss, Weights, summed  # noqa: E402
from seqtree.scenes.preparing import prepared_scene  # noqa: E402
from seqtree.scenes.task import SceneTask  # noqa: E402
from seqtree.training.fit import fit, train  # noqa: E402

TINY = {"preset": "tiny", **SMALL, "threads": 1, "progress": False}
SEGMENTS = SegmentSettings(min_size=8, colours=4, textons=4)
WIDTH = 3 * feature_count(4, 4)
EVEN = Weights(torch.ones(4), 9.0)


class Trained(NamedTuple):
    """A folder of scenes, a parser that has learned them, and its report."""

    folder: Path
    parser: SceneParser
    report: dict[str, Any]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    place = tmp_path_factory.mktemp("scenes")
    folder = scene_folder(place / "data")
    report = train("scene", folder, out=str(place / "run"), epochs=8, **TINY)
    return Trained(folder, SceneParser.load(report["model"]), report)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return caller(capsys, tmp_path, monkeypatch, "scene")


def parser(**options: Any) -> SceneParser:
    config = replace(PRESETS["tiny"].recipe.network, **options)
    return SceneParser.over(CLASSES, SEGMENTS, config, seed=1).to(precision="fp32")


def graphs(random: np.random.Generator, sizes: tuple[int, ...], classes: int = 4) -> list[SceneGraph]:
    """Chains of segments with random features and labels."""
    return [
        SceneGraph(
            random.normal(size=(size, WIDTH)).astype(np.float32),
            np.stack([np.arange(size - 1), np.arange(1, size)], axis=1),
            random.integers(0, 9, size=(size, classes + 1)),
        )
        for size in sizes
    ]


# --- learning


def test_it_learns_scenes_it_has_not_seen(trained: Trained) -> None:
    assert trained.report["pixel_accuracy"] > 0.9
    images = [scene(seed, SIZE) for seed in range(100, 106)]
    right = [
        (parse.pixels == labels)[labels > 0].mean()
        for parse, (_, labels) in zip(trained.parser.parses(image for image, _ in images), images, strict=True)
    ]
    assert np.mean(right) > 0.85


@pytest.mark.parametrize(
    "options",
    [
        {"leaves_only": True},
        {"objective": "stepwise"},
        {"objective": "softmax", "composition": "lstm", "pair_epochs": 0},
        {"method": "slic", "segments": 30, "min_size": None},
    ],
)
def test_it_learns_in_other_ways(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = scene_folder(tmp_path / "data")
    report = train("scene", folder, out=str(tmp_path / "run"), epochs=8, **{**TINY, **options})
    assert report["pixel_accuracy"] > 0.8


def _renumbered(folder: Path, names: tuple[str, ...]) -> Path:
    """A folder of drawn scenes with its labels numbered as these names, which have those of ``CLASSES``."""
    numbers = np.array([0, *(names.index(name) + 1 for name in CLASSES)], dtype=np.uint8)
    for file in (folder / "labels").iterdir():
        Image.fromarray(numbers[np.asarray(Image.open(file))]).save(file)
    (folder / "classes.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(("void", *names))))
    return folder


def test_a_parser_goes_on_with_other_scenes_and_classes(trained: Trained, tmp_path: Path) -> None:
    """Its network, textons and classes are kept; the folder's classes go by their names, and new ones are added."""
    start, said = trained.parser, Messages()
    folder = _renumbered(scene_folder(tmp_path / "other", 6), ("cow", "ball", "sky", "tree", "grass"))
    options = {"init_from": trained.report["model"], "preset": "tiny", "epochs": 1, "out": str(tmp_path / "run")}
    fit(SceneTask, [str(folder)], {**options, "learning_rate": 1e-12, "weight_decay": 0.0, "averaging": "none"}, said)
    made = SceneParser.load(tmp_path / "run")
    assert (made.classes, made.segments) == ((*CLASSES, "cow"), start.segments)
    assert "4 classes known" in said.text and "before training" in said.text
    after = made.network.state_dict()
    for name, weight in start.network.state_dict().items():
        torch.testing.assert_close(after[name][: len(weight)], weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(after["own.weight"][-1], start.network.own.weight.mean(dim=0), rtol=0, atol=1e-6)
    image = scene(100, SIZE)[0]
    np.testing.assert_array_equal(made.parse(image).pixels, start.parse(image).pixels)


def test_what_a_parser_does_not_go_on_with(command: Run, trained: Trained, tmp_path: Path) -> None:
    model, folder = trained.report["model"], trained.folder
    for option, value, kept in (("--hidden", "9", "24"), ("--min-size", "9", "8"), ("--method", "slic", "felz")):
        said = f"{option} {value}: with --init-from it is the scene parser's, {kept}"
        refused(command("train", folder, "--init-from", model, option, value), said)
    language_model().save(tmp_path / "lm.safetensors")
    refused(command("train", folder, "--init-from", "lm.safetensors"), "expected a scene-parser")
    many = "".join(f"{i} class{i}\n" for i in range(253))
    other = scene_folder(tmp_path / "other", 2)
    (other / "classes.txt").write_text(many)
    refused(command("train", other, "--init-from", model), "256 classes with those of the model; expected 255 at most")


def test_classes_of_a_folder_go_by_their_names(command: Run, trained: Trained, tmp_path: Path) -> None:
    model, figures = trained.report["model"], []
    for names in (CLASSES, CLASSES[::-1]):
        folder = _renumbered(scene_folder(tmp_path / names[0]), names)
        code, out, err = command("eval", model, folder, "--json")
        assert code == 0, err
        figures.append({name: value for name, value in json.loads(out).items() if name != "images_per_second"})
    assert figures[0] == figures[1]
    assert figures[0]["pixel_accuracy"] > 0.85


def test_folds_are_every_nth_image(tmp_path: Path) -> None:
    folder = scene_folder(tmp_path / "data", 7)
    found = [
        train("scene", folder, out=str(tmp_path / str(k)), epochs=1, fold=f"{k}/3", **TINY)["images"] for k in (1, 2, 3)
    ]
    assert found == [3, 2, 2]


# --- losses by hand


def test_that_few_images_are_held_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But not of images that are named for it."""
    folder = scene_folder(tmp_path / "data", 6)
    train("scene", folder, out=str(tmp_path / "named"), epochs=0.1, **{**TINY, "progress": True})
    assert "held-out" not in capsys.readouterr().err
    (folder / "dev.txt").unlink()
    train("scene", folder, out=str(tmp_path / "held"), epochs=0.1, **{**TINY, "progress": True})
    assert "figures of 1 held-out item say little" in capsys.readouterr().err


def test_a_mixed_node_has_the_distribution_of_its_segments() -> None:
    pixels = np.array([[4, 0], [2, 2], [0, 0]])
    found = summed(pixels, np.array([0, 3]), np.array([1, 2]))
    assert found.tolist() == [[4, 0], [2, 2], [0, 0], [6, 2], [6, 2]]


def test_the_loss_of_leaves_by_hand() -> None:
    """-log p, each segment by its distribution and the square root of its labelled pixels; void counts nowhere."""
    model = parser(leaves_only=True, dropout=0.0)
    scenes = graphs(np.random.default_rng(0), (4, 3))
    assert scenes[0].pixels is not None
    scenes[0].pixels[1, 1:] = 0
    rarity = torch.tensor([1.0, 2.0, 0.5, 1.0])
    loss = SceneLoss(model.network, scenes, SceneObjective(size_power=0.5), Weights(rarity, 3.0)).of_leaves()
    pixels = np.concatenate([one.pixels[:, 1:] for one in scenes if one.pixels is not None])
    with torch.no_grad():
        logits = model.network.alone(model.network.hidden_units(np.concatenate([one.features for one in scenes])))
    logs, wanted = logits.log_softmax(dim=1).numpy(), 0.0
    for counts, row in zip(pixels, logs, strict=True):
        if counts.sum():
            wanted -= (counts / counts.sum() * rarity.numpy() * row).sum() * (counts.sum() / 3) ** 0.5
    assert loss.item() == pytest.approx(wanted, rel=1e-5)


def test_a_pair_of_one_class_is_to_be_above_one_and_another_below_minus_one() -> None:
    model = parser(dropout=0.0)
    (one,) = graphs(np.random.default_rng(0), (4,))
    assert one.pixels is not None
    one.pixels[:] = [[0, 9, 0, 0, 0], [1, 8, 0, 0, 0], [0, 0, 9, 0, 0], [9, 0, 0, 0, 0]]  # the last is void
    settings = SceneObjective(node_weight=0.0)
    rest = SceneLoss(model.network, [one], replace(settings, merge_weight=0.0), EVEN).of_pairs()
    loss = SceneLoss(model.network, [one], settings, EVEN).of_pairs() - rest
    with torch.no_grad():
        leaves = model.network.leaves(model.network.hidden_units(one.features))
        scores = model.network.score_merges(model.network.compose(leaves[:-1], leaves[1:]))
    wanted = max(0.0, 1 - float(scores[0])) + max(0.0, 1 + float(scores[1]))
    assert loss.item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("objective", ["structured", "stepwise", "softmax"])
def test_a_loss_of_trees_falls_along_its_gradient(objective: str) -> None:
    model = parser(dropout=0.0)
    scenes = graphs(np.random.default_rng(2), (7, 5, 1))
    settings = SceneObjective(objective=objective, explore=0.0)
    before = SceneLoss(model.network, scenes, settings, EVEN).of_trees()
    slopes = torch.autograd.grad(before, list(model.network.parameters()), allow_unused=True)
    with torch.no_grad():
        for parameter, slope in zip(model.network.parameters(), slopes, strict=True):
            if slope is not None:
                parameter -= 1e-4 * slope
    after = SceneLoss(model.network, scenes, settings, EVEN).of_trees()
    expected = -1e-4 * sum(float(slope.square().sum()) for slope in slopes if slope is not None)
    assert (after - before).item() == pytest.approx(expected, rel=0.2)


def test_a_tree_that_wins_by_its_margin_costs_nothing() -> None:
    """Labels such that the network's own tree is correct: no violation without a margin, one with a large margin."""
    model = parser(dropout=0.0)
    (one,) = graphs(np.random.default_rng(5), (2,))
    settings = SceneObjective(kappa=0.0, node_weight=0.0)
    rest = SceneLoss(model.network, [one], replace(settings, merge_weight=0.0), EVEN).of_trees()
    assert SceneLoss(model.network, [one], settings, EVEN).of_trees().item() == pytest.approx(rest.item())


# --- parsing


def test_a_segment_is_mixed_with_the_nodes_above_it() -> None:
    """((0 1) 2): the parent of 0 is the mean of 0 and 1, by the roots of their sizes, and the root that of all."""
    chances = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.6]], dtype=np.float32)
    found = with_nodes_above(chances, np.array([[0, 1], [3, 2]]), np.array([4, 16, 1]), share=0.5)
    below, root = np.array([2, 4]) / 6, np.array([2.4, 4.6]) / 7
    wanted = [
        chances[0] + 0.5 * (FALL * below + FALL**2 * root),
        chances[1] + 0.5 * (FALL * below + FALL**2 * root),
        chances[2] + 0.5 * FALL * root,
    ]
    np.testing.assert_allclose(found, wanted / np.sum(wanted, axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(with_nodes_above(chances, np.array([[0, 1], [3, 2]]), np.ones(3, int), 0.0), chances)
    np.testing.assert_allclose(with_nodes_above(chances[:1], np.zeros((0, 2), int), np.array([9]), 0.5), chances[:1])


def test_a_scene_alone_is_parsed_as_in_a_batch(trained: Trained) -> None:
    scenes = [
        prepared_scene(one, trained.parser.segments, trained.parser.network.textons.arrays)
        for one in SceneFolder.open(trained.folder).part("train")[:5]
    ]
    together = trained.parser.parse_prepared(scenes)
    for one, found in zip(scenes, together, strict=True):
        (alone,) = trained.parser.parse_prepared([one])
        np.testing.assert_allclose(found[0], alone[0], atol=1e-5)
        np.testing.assert_array_equal(found[1], alone[1])
        np.testing.assert_allclose(found[2], alone[2], atol=1e-4)
        np.testing.assert_allclose(found[3], alone[3], atol=1e-5)


def test_the_merges_of_a_parse_are_a_tree(trained: Trained) -> None:
    parse = trained.parser.parse(scene(50, SIZE)[0])
    count = len(parse.probabilities)
    assert parse.segments.shape == SIZE
    assert sorted(parse.merges.ravel().tolist()) == list(range(2 * count - 2))
    assert all(max(parts) < count + i for i, parts in enumerate(parse.merges.tolist()))
    assert len(parse.scores) == len(parse.nodes) == count - 1
    np.testing.assert_allclose(parse.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_parse_shows_itself_and_the_shares_of_its_classes(trained: Trained) -> None:
    parse = trained.parser.parse(scene(50, SIZE)[0])
    shown = np.asarray(Image.open(BytesIO(parse._repr_png_())))
    factor = -(-480 // SIZE[0])
    assert shown.shape[0] > factor * SIZE[0]
    assert shown.shape[1] > 2 * factor * SIZE[1]
    assert sum(parse.shares.values()) == pytest.approx(1)
    assert list(parse.shares.values()) == sorted(parse.shares.values(), reverse=True)
    best = next(iter(parse.shares))
    assert parse.shares[best] == (parse.pixels == CLASSES.index(best) + 1).mean()


def test_the_vectors_of_a_parse_are_those_of_the_forest() -> None:
    model = parser(dropout=0.0)
    network = model.network.eval()
    (one,) = graphs(np.random.default_rng(1), (6,))
    with torch.no_grad():
        ((chances, merges, _, nodes),) = model._parsed([one])
    with torch.no_grad():
        hidden = network.hidden_units(one.features)
        vectors = compose_forest(network.composition, network.leaves(hidden), merges[:, 0], merges[:, 1])
        logits = network.leaf_logits(hidden, vectors[:6])
        np.testing.assert_allclose(chances, logits.softmax(dim=1), atol=1e-5)
        np.testing.assert_allclose(nodes, network.node_logits(vectors[6:]).softmax(dim=1), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), SIZE, (60, 500)])
def test_an_image_of_one_colour_and_others_of_odd_sizes(trained: Trained, size: tuple[int, int]) -> None:
    parse = trained.parser.parse(np.full((*size, 3), 77, dtype=np.uint8))
    assert parse.pixels.shape == size
    assert parse.pixels.min() >= 1
    if len(parse.probabilities) == 1:
        assert parse.merges.shape == (0, 2)


def test_what_is_no_image(trained: Trained) -> None:
    for image, said in (
        ("x.png", "image 'x.png': expected an array uint8"),
        (np.zeros((0, 20, 3), np.uint8), r"image uint8 \(0, 20, 3\): it has no pixel"),
        (np.zeros((9, 9, 3)), r"image float64 \(9, 9, 3\): expected an array uint8"),
        (np.zeros((9, 9), np.uint8), r"image uint8 \(9, 9\)"),
    ):
        with pytest.raises(InputError, match=said):
            trained.parser.parse(image)
    with pytest.raises(InputError, match="expected several images, not one string"):
        list(trained.parser.parses("x.png"))  # type: ignore[arg-type]


def test_one_segment_can_be_trained_on(tmp_path: Path) -> None:
    folder = scene_folder(tmp_path / "data", 4)
    for i, colour in enumerate(((10, 20, 200), (10, 200, 20))):
        Image.fromarray(np.full((*SIZE, 3), colour, dtype=np.uint8)).save(folder / "images" / f"scene{i}.png")
        Image.fromarray(np.full(SIZE, i + 1, dtype=np.uint8)).save(folder / "labels" / f"scene{i}.png")
    (folder / "train.txt").write_text("scene0\nscene1\n")
    (folder / "dev.txt").write_text("scene0\nscene1\n")
    report = train("scene", folder, out=str(tmp_path / "run"), epochs=20, **TINY)
    assert (report["pixel_accuracy"], report["segments"]) == (1.0, 2)


def test_evaluation_by_pixels(trained: Trained) -> None:
    """The figures are those of the pixels that ``pixels`` gives, without void."""
    images = SceneFolder.open(trained.folder).part("train")[:4]
    textons = trained.parser.network.textons.arrays
    measured = evaluate(trained.parser, [prepared_scene(one, trained.parser.segments, textons) for one in images])
    said = np.concatenate([trained.parser.parse(one.image).pixels.ravel() for one in images])
    labels = np.concatenate([one.labels(SIZE).ravel() for one in images])
    assert measured.pixel_accuracy == pytest.approx((said == labels)[labels > 0].mean())
    shares = [(said == labels)[labels == i].mean() for i in (1, 2, 3, 4) if (labels == i).any()]
    assert measured.class_accuracy == pytest.approx(np.mean(shares))
    assert list(measured.by_class.values()) == pytest.approx(shares)
    assert measured.pixel_accuracy <= measured.best_possible <= 1
    assert measured.images == 4


def test_a_batch_has_the_largest_scene_first() -> None:
    batch = make_scene_batch(graphs(np.random.default_rng(0), (4, 3, 1)))
    assert batch.lengths.tolist() == [4, 3, 1]
    assert batch.offsets.tolist() == [0, 4, 7]
    assert batch.first.tolist() == [0, 1, 2, 4, 5]
    assert batch.second.tolist() == [1, 2, 3, 5, 6]
    assert batch.row.tolist() == [0, 0, 0, 1, 1]


# --- the command


def test_predict_writes_what_it_says(command: Run, trained: Trained, tmp_path: Path) -> None:
    Image.fromarray(scene(60, SIZE)[0]).save(tmp_path / "one.png")
    Image.fromarray(scene(61, (48, 64))[0]).save(tmp_path / "two.jpg")
    code, out, err = command("predict", trained.report["model"], "one.png", "two.jpg", "--out", "parsed", "--json")
    assert code == 0, err
    first, second = json.loads(out)["images"]
    for said, size in ((first, SIZE), (second, (48, 64))):
        name = Path(said["image"]).stem
        labels = np.asarray(Image.open(tmp_path / "parsed" / f"{name}.png"))
        assert labels.shape == size
        assert np.asarray(Image.open(tmp_path / "parsed" / f"{name}-parsed.png")).shape[2] == 3
        assert sum(one["pixels"] for one in said["segments"]) == labels.size
        for i, class_name in enumerate(CLASSES, 1):
            pixels = sum(one["pixels"] for one in said["segments"] if one["label"] == class_name)
            assert pixels == (labels == i).sum()
        assert len(said["merges"]) == len(said["segments"]) - 1
    code, out, _ = command("predict", trained.report["model"], "one.png")
    assert code == 0
    assert out.startswith("one.png\t")
    assert sum(map(float, out.split()[2::2])) == pytest.approx(1, abs=0.03)


def test_eval_of_a_part(command: Run, trained: Trained) -> None:
    code, out, _ = command("eval", trained.report["model"], trained.folder, "--json")
    found = json.loads(out)
    assert code == 0
    assert {"pixel_accuracy", "class_accuracy", "segments", "images"} <= set(found)
    assert found["images"] == 2
    dev = json.loads(command("eval", trained.report["model"], trained.folder, "--part", "dev", "--json")[1])
    assert dev["pixel_accuracy"] == trained.report["pixel_accuracy"] != found["pixel_accuracy"]  # test has others
    code, out, _ = command(
        "eval", trained.report["model"], trained.folder, "--part", "train", "--fold", "2/3", "--json"
    )
    assert json.loads(out)["images"] == 3
    code, out, _ = command("eval", trained.report["model"], trained.folder, "--part", "train")
    assert code == 0
    assert "pixel accuracy" in out
    assert "sky" in out


def test_what_is_refused(command: Run, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, folder = trained.report["model"], trained.folder
    Image.fromarray(scene(0, SIZE)[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:300])
    (tmp_path / "sub").mkdir()
    Image.fromarray(scene(0, SIZE)[0]).save(tmp_path / "sub" / "a.png")
    other = scene_folder(tmp_path / "other", 2)
    (other / "classes.txt").write_text("0 void\n1 sky\n2 grass\n3 cow\n4 ball\n")
    nothing = command("train")
    refused(nothing, "expected one FOLDER")
    assert "generating" not in nothing[2]
    refused(command("train", folder, other), "expected one FOLDER")
    refused(command("train", "none"), "none: expected a folder")
    refused(command("train", folder, "--part", "none"), "none.txt: there is no such list")
    refused(command("train", folder, "--fold", "6"), "fold '6': expected K/N, such as 1/5")
    refused(command("train", folder, "--fold", "4/3"), "fold '4/3'")
    refused(command("train", folder, "--composition", "lstm", "--vector", "7"), "needs an even width")
    refused(command("eval", model, folder, "--part", "more"), "more.txt: there is no such list")
    known = ", ".join(CLASSES)
    refused(command("eval", model, other), f"classes.txt: cow: expected classes that the model knows, {known}")
    refused(command("predict", model, "b.png"), "b.png: not an image that can be read, or cut off")
    refused(command("predict", model, "c.png"), "c.png: expected an image; no such file")
    both = "would both be written to o/a.png; expected names that differ"
    refused(command("predict", model, "a.png", "sub/a.png", "--out", "o"), f"a.png and sub/a.png {both}")
    before = (tmp_path / "a.png").read_bytes()
    refused(command("predict", model, "a.png", "--out", "."), "a.png: is one of the images, and would be replaced")
    assert (tmp_path / "a.png").read_bytes() == before
    (tmp_path / "a-parsed.png").write_bytes(before)
    refused(command("predict", model, "a.png", "a-parsed.png", "--out", "o"), "would both be written to o/a-parsed.png")
    assert not (tmp_path / "o").exists()
    refused(command("train", folder, "--fold", "1/2", "--valid-part", "dev"), "--valid-part: not with --fold")
    refused(command("predict", model, folder), "expected an image; is a directory")
    language_model().save(tmp_path / "lm.safetensors")
    refused(command("predict", "lm.safetensors", "a.png"), "holds a language-model", "expected a scene-parser")
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    refused(command("predict", model, "a.png"), 'pip install "seqtree[scenes]"')
