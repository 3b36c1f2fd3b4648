"""What a text's bytes look like, for the advice on a file in another encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqtree.errors import InputError
from seqtree.text.config import TextSettings
from seqtree.text.corpus import prepare
from seqtree.text.encodings import likely_encodings, utf_16

TEXTS = {
    "gb18030": "我们今天去学校看书，然后回家吃饭。他说这个问题很重要，大家都知道。",
    "big5": "我們今天去學校看書，然後回家吃飯。他說這個問題很重要，大家都知道。",
    "euc_kr": "나는 오늘 학교에 가서 책을 읽었다. 그리고 집에서 밥을 먹었다.",
    "cp1251": "Сегодня я пошёл в школу, потом вернулся домой и читал книгу.",
    "koi8_r": "Сегодня я пошел в школу, потом вернулся домой и читал книгу.",
    "shift_jis": "わたしはきのうがっこうへいきました。とてもたのしかったです。",
    "euc_jp": "わたしはきのうがっこうへいきました。とてもたのしかったです。",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_script_is_recognised(encoding: str) -> None:
    assert likely_encodings((TEXTS[encoding] + "\n").encode(encoding) * 20)[0] == encoding


@pytest.mark.parametrize("text", ["Le café était très élevé, à côté de la forêt.\n", "Größe übt Übermut.\n", "plain\n"])
def test_western_texts_look_like_none_of_them(text: str) -> None:
    assert likely_encodings(text.encode("latin-1") * 20) == []


UTF_16 = {
    "English": "The cat sat on the mat.",
    "Russian": "Привет, мир. Москва (Moscow) большая.",
    "Greek": "Καλημέρα κόσμε, τι κάνεις;",
    "Hebrew": "שלום עולם, מה שלומך?",
    "Hindi": "नमस्ते दुनिया, आप कैसे हैं?",
    "Chinese": "今天天气很好。我们去公园散步吧。他说他不想去。",
    "Japanese": "今日はいい天気ですね。公園に行きましょう。",
    "Korean": "안녕하세요. 오늘은 날씨가 좋습니다.",
}


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", UTF_16)
def test_utf_16_without_a_mark_is_recognised_in_any_script(tmp_path: Path, language: str, form: str) -> None:
    data = f"{UTF_16[language]}\n".encode(form) * 9
    assert utf_16(data) == form
    (tmp_path / "text.txt").write_bytes(data)
    with pytest.raises(InputError, match=rf"text.txt looks like UTF-16 without a mark: try --encoding {form}$"):
        prepare([tmp_path / "text.txt"], TextSettings())
    assert prepare([tmp_path / "text.txt"], TextSettings(encoding=form)).train is not None


def test_what_is_not_utf_16_is_not_taken_for_it() -> None:
    texts, letters = "".join(UTF_16.values()), b"a\tb\n" * 800
    for data in (
        letters + b"\0" + letters,
        texts.encode(),
        texts.encode("utf-32-le"),
        b"a b\0c def\0gh\n" * 20,
        b"\x7fELF\2\1\1\0\0\0\0" * 9,
        b"",
    ):
        assert utf_16(data) == ""
