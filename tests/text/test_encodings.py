"""What a text's bytes look like, for the advice on a file in another encoding."""

from __future__ import annotations

import pytest

from seqtree.text.encodings import likely_encodings

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
