"""Whether spaces part the words of a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

UNSPACED = "spaces part few words, as in Chinese or Thai, or in a list of words"
MANY = 2 / 3  # of the texts that are one word each
LONG = 10  # characters of a word; their mean is below 5 where words of the scripts below are parted
# Thai, Lao, Tibetan, Burmese, Khmer, Hiragana, Katakana and Han, which are written without spaces between words.
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")


def unspaced(texts: Sequence[str]) -> bool:
    """Whether spaces do not part the words of texts.

    Most are one word each, and most of these words occur only once; or words of scripts without spaces are so long that
    they are phrases.

    >>> unspaced(["我是学生。", "他来了。", "I see."]), unspaced(["yes", "no", "yes", "no", "yes"])
    (True, False)
    >>> unspaced(["วันนี้อากาศดีมาก เราไปเดินเล่นกันเถอะ"]), unspaced(["วันนี้ อากาศ ดี มาก", "今天 天气 很 好"])
    (True, False)
    """
    words = [text.split() for text in texts]
    single = [text[0] for text in words if len(text) == 1 and len(text[0]) > 1]
    if single and len(single) >= MANY * len(texts) and len(set(single)) > len(single) / 2:
        return True
    long = [len(word) for text in words for word in text if 2 * len(_UNSPACED.findall(word)) > len(word)]
    return 2 * len(long) > sum(map(len, words)) and sum(long) > LONG * len(long)
