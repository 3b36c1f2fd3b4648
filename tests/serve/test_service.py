"""The playground as a service: every operation, what it refuses, and many clients at once."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from nltk.tree import Tree
from serve_helpers import TEXT, Client, listening, models

from seqtree import __version__
from seqtree.drawing.scenes import png
from seqtree.errors import InputError
from seqtree.images.data import ImageSet
from seqtree.images.model import ImageClassifier
from seqtree.language.inside import following, steps_of_layers
from seqtree.language.scoring import TokenScore
from seqtree.model import Model
from seqtree.parsing.model import Parser
from seqtree.phrases import PhraseVectors, cosine
from seqtree.phrases.phrase import Phrase, constituents
from seqtree.scenes.generated import draw_scene
from seqtree.serve import models as served_models
from seqtree.serve.guard import MAX_BODY
from seqtree.serve.jobs import BusyError, Worker
from seqtree.serve.operations import OPERATIONS, Operation, score
from seqtree.serve.requests import TextRequest
from seqtree.text.cache import entries
from seqtree.training.fit import train

SENTENCE = "The cat sat on the mat."


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model[Any]]:
    return models(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def client(served: dict[str, Model[Any]]) -> Iterator[Client]:
    ids = served["letters"].vocabulary.encode(list(TEXT))
    with listening(served, texts={"letters": lambda: ids}, rate=10_000) as port:
        yield Client(port)


# --- operations


def test_the_models_and_what_they_do(client: Client) -> None:
    _, _, body = client.send("GET", "/api/models")
    found = {model["name"]: model for model in json.loads(body)["models"]}
    assert {name: model["operations"] for name, model in found.items()} == {
        "default": ["parse", "phrases"],
        "letters": ["score", "next", "inside", "copies", "sample"],
        "blanks": ["score", "fill"],
        "tags": ["tag"],
        "moods": ["classify"],
        "grades": ["tree"],
        "mirror": ["translate"],
        "views": ["scene"],
    }
    assert found["letters"]["unit"] == "char"


def test_parse_is_what_the_parser_says(client: Client, served: dict[str, Model[Any]]) -> None:
    parser = served["default"]
    assert isinstance(parser, Parser)
    first, second = client.ask("parse", text=f"{SENTENCE} It ate.")["sentences"]
    assert first["trees"][0]["tree"] == str(next(parser.parse(SENTENCE.replace(".", " .").split()))).replace("\n ", "")
    assert first["trees"][0]["svg"].startswith("<svg ")
    assert second["offsets"] == [[24, 26], [27, 30], [30, 31]]
    (three,) = client.ask("parse", text=SENTENCE, k=3)["sentences"]
    assert len({tree["tree"] for tree in three["trees"]}) == 3
    (given,) = client.ask("parse", text="it works . mostly", tokenized=True)["sentences"]
    assert given["trees"][0]["words"] == ["it", "works", ".", "mostly"]
    assert client.ask("parse", text=" \n")["sentences"] == []


def test_phrases_and_which_are_alike(client: Client, served: dict[str, Any]) -> None:
    text = "The old man sat on the mat. The young man sat on a chair."
    found = client.ask("phrases", text=text)
    phrases = {one["text"]: one for one in found["phrases"]}
    assert phrases["The old man"]["label"] == "NP"
    assert found["svg"].startswith("<svg ")
    assert 0 < found["variance"] <= 1
    near = phrases["The old man"]["near"]
    parsed = [Phrase(one["text"], one["label"]) for one in found["phrases"]]
    (first, second) = client.ask("parse", text=text)["sentences"]
    drawn = [Tree.fromstring(one["trees"][0]["tree"]) for one in (first, second)]
    trees = {one.text: one for tree in drawn for one in constituents(tree)}
    vectors = PhraseVectors(served["default"], "phrases").vectors([trees[one.text] for one in parsed])
    lengths = [vector / np.linalg.norm(vector) for vector in vectors]
    rows = [one - np.mean(lengths, axis=0) for one in lengths]
    own = rows[list(phrases).index("The old man")]
    ranked = sorted(((cosine(own, other), name) for name, other in zip(phrases, rows, strict=True)), reverse=True)
    assert [(one["text"], one["cosine"]) for one in near] == [
        (name, pytest.approx(value, abs=1e-4)) for value, name in ranked[1:4]
    ]
    assert client.refused("POST", "/api/phrases", {"text": "Yes."})[1].endswith("expected from 3 to 150 for a map")
    many = " ".join(f"The {word} man sat on the {word} mat." for word in "abcdefghijklmnopqrstuvwxyz"[:26] * 2)
    status, reason = client.refused("POST", "/api/phrases", {"text": many + " " + many.replace("man", "men")})
    assert (status, "expected from 3 to 150" in reason) == (400, True)


def test_what_language_models_say(client: Client, served: dict[str, Any]) -> None:
    letters = served["letters"]
    scored = client.ask("score", text="the cat")
    assert [one["token"] for one in scored["tokens"]] == list("the cat")
    assert scored["bits"] == pytest.approx(sum(one.surprisal for one in letters.score("the cat")), abs=1e-3)
    assert client.ask("score", text="")["perplexity"] is None
    best = [(one["token"], one["probability"]) for one in client.ask("next", text="the ca", k=3)["tokens"]]
    assert best == [(token, pytest.approx(chance, abs=1e-6)) for token, chance in letters.next("the ca", 3)]
    filled = client.ask("fill", text="the c____t", k=2, model="blanks")["tokens"]
    assert client.ask("fill", text="the c____t", k=2)["tokens"] == filled  # the only model that can
    assert [one["token"] for one in filled] == [token for token, _ in served["blanks"].fill("the c____t", 2)]


def test_a_perplexity_that_no_float_holds_is_null() -> None:
    class Surprised:
        def score(self, text: str) -> list[TokenScore]:
            return [TokenScore("a", 5000.0, False), TokenScore("b", 1000.0, False)]

    (found,) = score(Surprised(), [TextRequest(text="ab")])
    assert (found["bits"], found["perplexity"]) == (6000.0, None)


def test_a_scene_is_parsed(client: Client, served: dict[str, Model[Any]]) -> None:
    image, _ = draw_scene(1, (24, 32))
    found = client.ask("scene", image=base64.b64encode(png(image)).decode())
    parsed = served["views"].parse(image)  # type: ignore[attr-defined]
    assert found["segments"] == parsed.to_json()["segments"]
    assert found["merges"] == parsed.to_json()["merges"]
    assert sum(one["share"] for one in found["classes"]) == pytest.approx(1, abs=1e-3)
    assert base64.b64decode(found["png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("*", "the image: expected a PNG or JPEG file in base64"),
        ("aGVsbG8=", "the image: not an image that can be read, or cut off"),
        (base64.b64encode(png(np.zeros((700, 700), np.uint8))).decode(), "700 x 700 pixels; an image may have 400,000"),
        (5, "image 5: expected text"),
    ],
)
def test_what_is_no_scene(client: Client, image: Any, said: str) -> None:
    status, reason = client.refused("POST", "/api/scene", {"image": image})
    assert (status, said in reason) == (400, True), reason
    assert client.refused("POST", "/api/scene", {"text": "a"}) == (400, 'expected a JSON object with "image"')


def test_passages_of_the_training_text(client: Client) -> None:
    copied = "the cat sat on the mat\na dog ran to"
    found = client.ask("copies", text=f"no {copied}zz")
    assert found["passages"] == [copied]
    assert found["copied"] == [False] * 3 + [True] * len(copied) + [False] * 2
    assert client.ask("copies", text="the cat") == {"copied": [False] * 7, "passages": []}
    assert client.ask("copies", text="") == {"copied": [], "passages": []}
    status, reason = client.refused("POST", "/api/copies", {"text": "a", "model": "blanks"})
    assert (status, reason) == (400, "model 'blanks': expected one of letters")


def test_the_training_text_of_a_run_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    options: dict[str, Any] = {"preset": "tiny", "epochs": 1.0, "progress": False}
    made = Path(train("lm", tmp_path / "text.txt", out=str(tmp_path / "run"), **options)["model"])
    paths = {"run": str(made), "file": str(made / "model.safetensors"), "default": "default"}
    opened = served_models.opened(paths)
    found = served_models.training_texts(paths, opened)
    assert set(found) == {"run", "file"}
    vocabulary = opened["run"].vocabulary  # type: ignore[attr-defined]
    assert vocabulary.join(vocabulary.decode(found["run"]())) == TEXT
    monkeypatch.setattr(served_models, "MAX_TRAINING", 10)
    assert served_models.training_texts(paths, opened) == {}
    monkeypatch.undo()
    (tmp_path / "text.txt").unlink()
    assert served_models.training_texts(paths, opened) == {}


def test_a_unit_is_looked_at(client: Client, served: dict[str, Any]) -> None:
    text = "a man (a cat) sat"
    tokens, (values,) = steps_of_layers(served["letters"], text)
    found = client.ask("inside", text=text)
    best = following(tokens, values["h"], "brackets", 10)
    assert found["tokens"] == tokens
    assert [one["unit"] for one in found["following"]] == [unit for unit, _ in best]
    assert found["unit"] == best[0][0]
    third = client.ask("inside", text=text, unit=3, layer=1, feature="word")
    assert third["values"]["c"] == pytest.approx(values["c"][:, 3].tolist(), abs=1e-4)
    assert list(third["values"]) == ["i", "f", "g", "o", "c'", "c", "h"]
    without = client.ask("inside", text="a man")
    assert without["following"] == []
    assert without["unit"] == steps_of_layers(served["letters"], "a man")[1][0]["h"].var(axis=0).argmax()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"text": "a", "layer": 2}, "layer 2: expected at most 1"),
        ({"text": "a", "unit": 8}, "unit 8: expected at most 7"),
        ({"text": "a", "feature": "mood"}, "mood"),
        ({"text": "a" * 2001}, "expected at most 2,000"),
        ({"text": ""}, "without a token"),
        ({"text": "a", "model": "blanks"}, "both sides"),
    ],
)
def test_units_that_there_are_not(client: Client, request_: dict[str, Any], said: str) -> None:
    status, reason = client.refused("POST", "/api/inside", request_)
    assert (status, said in reason) == (400, True), reason


def test_a_sample_comes_in_parts_and_is_that_of_its_seed(client: Client, served: dict[str, Any]) -> None:
    _, headers, body = client.send("POST", "/api/sample", {"text": "the ", "length": 400, "seed": 3, "top_k": 5})
    parts = [json.loads(line) for line in body.decode().splitlines()]
    assert headers["content-type"] == "application/x-ndjson"
    assert parts.pop() == {"done": True}
    text = "".join(part["text"] for part in parts)
    assert text == served["letters"].sample("the ", 400, seed=3, top_k=5)


def test_tags_and_classes(client: Client, served: dict[str, Any]) -> None:
    (tagged,) = client.ask("tag", text="the dog sat")["sentences"]
    assert list(zip(tagged["words"], tagged["tags"], strict=True)) == served["tags"].tag(["the", "dog", "sat"])
    assert all(0 < chance <= 1 for chance in tagged["probabilities"])
    classes = client.ask("classify", text="a fine day")["classes"]
    assert [one["label"] for one in classes] == sorted(
        ("good", "bad"), key=lambda name: -served["moods"].prob_classify("a fine day").prob(name)
    )
    assert sum(one["probability"] for one in classes) == pytest.approx(1, abs=1e-5)


def test_labelled_trees_and_translations(client: Client, served: dict[str, Any]) -> None:
    (one,) = client.ask("tree", text="It works.")["sentences"]
    assert one["words"] == ["It", "works", "."]
    assert len(one["nodes"]) == 5
    assert one["label"] in served["grades"].classes.names
    assert one["svg"].startswith("<svg ")
    (line, blank, last) = client.ask("translate", text="a b c\n\nd\n", beam=3, best=2)["lines"]
    assert [found["text"] for found in line] == [
        found.text for found in next(served["mirror"].translations(["a b c"], beam=3, best=2))
    ]
    assert (len(blank), len(last)) == (0, 2)  # a line for each line
    assert client.refused("POST", "/api/translate", {"text": "a", "best": 6})[0] == 400


def test_the_document_describes_every_operation(client: Client) -> None:
    _, _, body = client.send("GET", "/openapi.json")
    document = json.loads(body)
    assert set(document["paths"]) == {f"/api/{one.name}" for one in OPERATIONS}
    schema = document["paths"]["/api/parse"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["text"]
    assert schema["properties"]["k"] | {"description": ""} == {
        "description": "",
        "type": "integer",
        "default": 1,
        "minimum": 1,
        "maximum": 20,
    }


def test_curves(served: dict[str, Model[Any]], tmp_path: Path) -> None:
    records = '{"step": 1, "loss": 2.5, "best": true}\n[]\nbroken\n{"step": 2, "loss": NaN}\n'
    (tmp_path / "metrics.jsonl").write_text(records, encoding="utf-8")
    with listening(served, runs={"mine": tmp_path, "new": tmp_path / "nothing-yet"}) as port:
        _, _, body = Client(port).send("GET", "/api/runs")
    assert json.loads(body)["runs"] == [
        {"name": "mine", "records": [{"step": 1, "loss": 2.5}, {"step": 2}]},
        {"name": "new", "records": []},
    ]


def test_a_page_without_scripts(client: Client, served: dict[str, Model[Any]]) -> None:
    status, headers, body = client.send("GET", "/plain")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    html = body.decode()
    assert "<script" not in html
    assert re.findall(r'<option value="([^"]+)"', html)[:3] == ["parse default", "phrases default", "score letters"]
    hostile = "<b>It</b> & it"
    html = client.send("GET", "/plain?" + urlencode({"do": "parse default", "text": hostile}))[2].decode()
    assert "<b>" not in html
    assert 'value="parse default" selected' in html
    (tree,) = client.ask("parse", text=hostile)["sentences"][0]["trees"]
    assert tree["svg"] in html
    shown = json.loads(unescape(html.split("<pre>")[1].split("</pre>")[0]))
    del tree["svg"]
    assert shown["sentences"][0]["trees"] == [tree]


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        ({"do": "sample letters", "text": "a"}, 400, "expected one of parse default"),
        ({"do": "score default", "text": "a"}, 400, "expected one of parse default"),
        ({"do": "score letters", "text": "a" * 20_001}, 400, "expected at most 20,000"),
        ({"do": "phrases default", "text": "Yes."}, 400, "expected from 3 to 150"),
        ({"do": "score letters", "text": " \n"}, 200, None),
    ],
)
def test_what_the_page_without_scripts_refuses(
    client: Client, asked: dict[str, str], status: int, reason: str | None
) -> None:
    found, _, body = client.send("GET", "/plain?" + urlencode(asked))
    assert found == status
    assert ('role="alert"' in body.decode()) == (reason is not None)
    assert reason is None or reason in unescape(body.decode())


def test_a_page_without_scripts_takes_the_longest_text_and_no_body(client: Client) -> None:
    html = client.send("GET", "/plain?" + urlencode({"do": "score letters", "text": "猫" * 20_000}))[2].decode()
    assert 'role="alert"' not in html and html.count("猫") > 20_000
    status, _, body = client.send("GET", "/plain", b"x" * 300_000)
    assert status == 413
    assert "a request has at most 256 KiB" in body.decode()


# --- what is refused


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "expected a JSON object such as"),
        (b"\xff\xfe", "expected a JSON object such as"),
        ([], 'expected a JSON object with "text"'),
        ({}, 'expected a JSON object with "text"'),
        ({"text": 3}, "text 3: expected text"),
        ({"text": "a", "k": 0}, "k 0: expected from 1 to 20"),
        ({"text": "a", "k": True}, "k True: expected a whole number"),
        ({"text": "a", "colour": 1}, "no field 'colour'; expected some of model, text, "),
        ({"text": "a \ud83d b"}, "character 2 of the text is the lone surrogate U+D83D"),
        ({"text": "a", "model": "../secret"}, "model '../secret': expected one of default"),
        ({"text": "a" * 20_001}, "a text of 20,001 characters: expected at most 20,000"),
        ({"text": "a " * 2001}, "a text of 2,001 words: expected at most 2,000 at a time"),
        ({"text": "a " * 401, "k": 20}, "a text of 401 words: expected at most 400 at a time"),
    ],
)
def test_a_bad_request_is_told_in_one_line(client: Client, body: Any, reason: str) -> None:
    status, told = client.refused("POST", "/api/parse", body)
    assert status == 400
    assert reason in told
    assert "\n" not in told


def test_a_model_of_another_kind_and_an_operation_that_it_does_not_have(client: Client) -> None:
    assert client.refused("POST", "/api/score", {"text": "a", "model": "default"})[0] == 400
    status, told = client.refused("POST", "/api/sample", {"text": "a", "model": "blanks"})
    assert status == 400
    assert "bidirectional" in told
    assert client.refused("POST", "/api/classify", {"text": " "}) == (400, "a text without a word has no class")


def test_there_is_nothing_elsewhere(client: Client) -> None:
    for path in ("/api/parser", "/../setup.cfg", "/static/../app.py", "/static/%2e%2e/app.py", "/static/none.js"):
        assert client.refused("GET", path)[0] == 404
    for method, path, expected, allowed in (
        ("GET", "/api/parse", "POST with a JSON object", "POST"),
        ("POST", "/api/models", "GET", "GET, HEAD"),
        ("DELETE", "/api/models", "GET or POST", "GET, HEAD, POST"),
    ):
        status, headers, body = client.send(method, path, {} if method == "POST" else None)
        assert (status, json.loads(body)["error"]) == (405, f"expected {expected}")
        assert sorted(headers["allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(client: Client, host: str) -> None:
    assert client.refused("GET", "/", Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
def test_this_machine_by_its_names(client: Client, host: str) -> None:
    assert client.send("GET", "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
)
def test_a_page_of_another_site_is_refused(client: Client, headers: dict[str, str]) -> None:
    assert client.refused("POST", "/api/parse", {"text": SENTENCE}, **headers)[0] == 403
    assert client.refused("GET", "/plain?text=a", **headers)[0] == 403


def test_the_own_page_is_not(client: Client) -> None:
    own = f"127.0.0.1:{client.port}"
    status, _, _ = client.send("POST", "/api/parse", {"text": "No."}, Origin=f"http://{own}", Host=own)
    assert status == 200


def test_what_a_form_could_send_is_refused(client: Client) -> None:
    status, told = client.refused("POST", "/api/parse", b'{"text": "a"}', Content_Type="text/plain")
    assert status == 415
    assert "application/json" in told


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    assert client.refused("POST", "/api/parse", b" " * (MAX_BODY + 1))[0] == 413
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as raw:  # which does not say its size
        head = "POST /api/parse HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        raw.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        block = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(5):
            raw.sendall(block)
        assert b" 413 " in raw.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize("path", ["POST /api/parse", "GET /plain"])
@pytest.mark.parametrize("length", ["Content-Length: 10", "Transfer-Encoding: chunked"])
def test_a_body_that_never_comes_is_not_waited_for(
    served: dict[str, Model[Any]], path: str, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtree.serve.guard.BODY_SECONDS", 0.2)
    head = f"{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    with listening(served) as port, socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(head.encode())
        told = b"".join(iter(partial(raw.recv, 4096), b""))  # until the service closes the connection
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"the request did not arrive within 30 seconds" in told


@pytest.mark.parametrize("before", ["", "HEAD /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"])
@pytest.mark.parametrize("begun", ["", "POST /api/parse HTTP/1.1\r\nHost: local"])
def test_a_request_that_never_comes_is_not_waited_for(
    served: dict[str, Model[Any]], before: str, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtree.serve.connections.HEAD_SECONDS", 0.2)
    with listening(served) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall((before + begun).encode())
            told = b"".join(iter(partial(raw.recv, 4096), b""))  # until the service closes the connection
            assert told.startswith(b"HTTP/1.1 200 OK\r\n" if before else b"") and bool(told) == bool(before)
        assert Client(port).ask("parse", text="Go.")["sentences"]


def test_the_rest_of_a_body_that_was_not_read_is_not_waited_for(
    served: dict[str, Model[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqtree.serve.connections.HEAD_SECONDS", 0.2)
    with listening(served) as port, socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(b"GET /api/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        told = raw.recv(4096)
        raw.sendall(b"x")
        told += b"".join(iter(partial(raw.recv, 4096), b""))  # until the service closes the connection
        assert told.startswith(b"HTTP/1.1 200 OK\r\n")


def test_every_answer_has_the_headers_that_keep_it_safe(client: Client) -> None:
    for method, path, body in (("GET", "/", None), ("GET", "/nothing", None), ("POST", "/api/parse", {"text": "No."})):
        _, headers, _ = client.send(method, path, body)
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_too_many_requests_a_second_are_told_to_wait(served: dict[str, Model[Any]]) -> None:
    with listening(served, rate=0.5) as port:
        found = [Client(port).send("GET", "/api/models") for _ in range(7)]
    assert [status for status, _, _ in found] == [200] * 5 + [429] * 2
    assert found[-1][1]["retry-after"] == "1"


def test_a_token_is_asked_for_where_others_can_reach_the_service(served: dict[str, Model[Any]]) -> None:
    with listening(served, host="192.0.2.1", token="secret") as port:
        client = Client(port)
        assert client.send("GET", "/", Host="192.0.2.1")[0] == 200
        assert client.refused("GET", "/api/models")[0] == 401
        assert client.refused("GET", "/api/models", Authorization="Bearer é")[0] == 401
        assert client.send("GET", "/api/models", Authorization="Bearer secret")[0] == 200
        assert client.refused("GET", "/plain?text=a")[0] == 404


# --- many at once


def test_many_clients_get_their_own_answers(client: Client, served: dict[str, Model[Any]]) -> None:
    parser = served["default"]
    assert isinstance(parser, Parser)
    texts = [f"The {noun} saw {number} of them." for number, noun in enumerate(["cat", "dog", "man", "boat"] * 10)]

    def ask(text: str) -> Any:
        return client.ask("parse", text=text)["sentences"][0]["trees"][0]["words"]

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, texts)) == [text.replace(".", " .").split() for text in texts]


def _worker(answer: Any, **options: Any) -> tuple[Worker, Operation]:
    return Worker(**options), Operation("slow", "none", "", TextRequest, answer)


def _asked(worker: Worker, operation: Operation, texts: list[str]) -> list[Any]:
    async def together() -> list[Any]:
        asked = (worker.ask(operation, None, TextRequest(text=text)) for text in texts)
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(together())


def test_what_waits_together_is_answered_together() -> None:
    sizes, first = [], threading.Event()

    def answer(model: Any, requests: Any) -> list[Any]:
        sizes.append(len(requests))
        first.wait(0.3)
        return [{"text": request.text} for request in requests]

    worker, operation = _worker(answer)
    found = _asked(worker, operation, list("abcdef"))
    worker.close()
    assert [one["text"] for one in found] == list("abcdef")
    assert sum(sizes) == 6
    assert len(sizes) <= 3


def test_what_waits_among_others_is_answered_together_and_no_more_waits_than_there_is_room_for() -> None:
    batches: list[list[str]] = []
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def answer(model: Any, requests: Any) -> list[Any]:
        batches.append([request.text for request in requests])
        begun.release()
        go_on.acquire(timeout=30)
        return [{} for _ in requests]

    worker, first = _worker(answer, waiting=4, seconds=60)
    one, other = (Operation(name, "none", "", TextRequest, answer) for name in ("one", "other"))

    async def together() -> list[Any]:
        async def ask(operation: Operation, text: str) -> asyncio.Task[Any]:
            asked = asyncio.create_task(worker.ask(operation, None, TextRequest(text=text)))
            await asyncio.sleep(0)  # until it waits
            return asked

        asked = [await ask(first, "a")]
        await asyncio.to_thread(begun.acquire, timeout=30)
        asked += [await ask(*each) for each in ((one, "b"), (other, "c"), (one, "d"), (other, "e"), (one, "f"))]
        go_on.release()
        await asyncio.to_thread(begun.acquire, timeout=30)
        asked += [await ask(*each) for each in ((one, "g"), (other, "h"), (one, "i"))]
        go_on.release(5)
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(together())
    worker.close()
    assert batches == [["a"], ["b", "d"], ["c", "e", "h"], ["g"]]
    assert [text for text, each in zip("abcdefghi", found, strict=True) if isinstance(each, BusyError)] == ["f", "i"]


def test_a_bad_request_spoils_no_other() -> None:
    def answer(model: Any, requests: Any) -> list[Any]:
        time.sleep(0.05)
        if any(request.text == "bad" for request in requests):
            raise InputError("bad: expected something good")
        return [{"text": request.text} for request in requests]

    worker, operation = _worker(answer)
    first, bad, last = _asked(worker, operation, ["a", "bad", "b"])
    worker.close()
    assert (first, last) == ({"text": "a"}, {"text": "b"})
    assert isinstance(bad, InputError)


def test_without_room_or_time_it_says_so() -> None:
    done = threading.Event()

    def answer(model: Any, requests: Any) -> list[Any]:
        done.wait(5)
        return [{} for _ in requests]

    worker, operation = _worker(answer, waiting=2, seconds=0.2)
    found = _asked(worker, operation, list("abcdefgh"))
    done.set()
    worker.close()
    assert all(isinstance(one, BusyError) for one in found)
    assert {str(one).split(";")[0] for one in found} == {
        "too many requests are waiting",
        "no answer within 0.2 seconds",
    }


def test_a_client_that_has_gone_is_not_computed_for(served: dict[str, Model[Any]], client: Client) -> None:
    """It leaves a long sample in the middle; the stream ends, and the service goes on."""
    request = json.dumps({"text": "the ", "length": 5000}).encode()
    before = threading.active_count()
    for _ in range(20):  # more than may go on at once
        with socket.create_connection(("127.0.0.1", client.port), timeout=30) as raw:
            head = f"POST /api/sample HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(request)}\r\n"
            raw.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + request)
            assert b" 200 " in raw.recv(200)
        time.sleep(0.1)
    assert client.send("POST", "/api/sample", {"text": "the ", "length": 5})[0] == 200
    assert threading.active_count() < before + 40


# --- which models


def test_models_have_names_of_their_own(tmp_path: Path) -> None:
    assert served_models.given(["runs/a", "b/a.safetensors", "runs/c/model.safetensors", "default"], print) == {
        "a": "runs/a",
        "a-2": "b/a.safetensors",
        "c": "runs/c/model.safetensors",
        "default": "default",
    }


def test_runs_are_those_named_and_those_of_models(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "metrics.jsonl").touch()
    assert served_models.runs([str(tmp_path / "a"), "default"], [str(tmp_path / "b")]) == {
        "b": str(tmp_path / "b"),
        "a": str(tmp_path / "a"),
    }
    with pytest.raises(InputError, match="--run nothing: expected the folder of a run"):
        served_models.runs([], ["nothing"])


def test_a_model_that_the_page_has_no_use_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is an image-classifier, which the page has no use for"):
        served_models.opened({"digits": str(_image_model(tmp_path))})


def _image_model(folder: Path) -> Path:
    data = ImageSet(np.zeros((2, 8, 8), np.uint8), np.zeros(2, np.uint8))
    ImageClassifier.untrained(data, ["0", "1"], plan="full 4").save(folder / "digits.safetensors")
    return folder / "digits.safetensors"


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The task and the preset of each training of the sample model; none takes any time."""
    runs: list[tuple[str, str]] = []

    def train(task: str, **options: Any) -> dict[str, Any]:
        from seqtree.language.model import LanguageModel

        runs.append((task, options["preset"]))
        run = Path(options["out"])
        run.mkdir()
        LanguageModel.untrained(TEXT, hidden=8).save(run / "model.safetensors")
        (run / "config.json").write_text(json.dumps({"corpus": [str(tmp_path / "text.txt")]}), encoding="utf-8")
        return {"model": str(run), "interrupted": False}

    monkeypatch.setattr(served_models, "train", train)
    return runs


def test_without_a_model_a_small_one_is_trained_once(
    trained: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an entry of the cache, as texts are."""
    monkeypatch.setenv("SEQTREE_CACHE", str(tmp_path / "cache"))
    said: list[str] = []
    first, second = (served_models.given([], said.append) for _ in range(2))
    assert first == second
    assert trained == [("lm", "tiny")]
    assert said == ["training a small language model on the embedded text 'lighthouse', once"]
    opened = served_models.opened(first)
    assert set(opened) == {"default", "lighthouse"}
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    assert len(served_models.training_texts(first, opened)["lighthouse"]()) == len(TEXT)
    (entry,) = entries(tmp_path / "cache")
    assert (entry.path.name, entry.texts) == (f"lighthouse-{__version__}.sample", ("lighthouse",))
    entry.remove()
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("folder", ["/dev/null/cache", None])
def test_a_cache_folder_that_cannot_be_used_is_found_before_the_training(
    folder: str | None, trained: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of this user's alone takes its place."""
    for name in ("SEQTREE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "")
    if folder:
        monkeypatch.setenv("SEQTREE_CACHE", folder)
    said: list[str] = []
    place = Path(served_models.given([], said.append)["lighthouse"])
    assert [line.partition(" ")[0] for line in said] == ["warning:", "training"]
    assert "cannot be used" in said[0] and "SEQTREE_CACHE" in said[0]
    assert len(trained) == 1
    private = place.parent.parent
    assert private.parent == Path(tempfile.gettempdir()) and private.stat().st_mode & 0o077 == 0
