"""Which encoding the bytes of a text look like, judged by the commonest characters of the languages written in it."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

MIN_SHARE = 0.3  # of the characters beyond ASCII, that the commonest ones must make up
MIN_BEYOND = 8  # characters beyond ASCII from which something can be concluded
MIN_CYRILLIC = 0.6  # for an alphabet, of which the small letters are half of all bytes
_CYRILLIC = frozenset("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё")
_KANA = frozenset("のにはをたがでてとしれさいるなもかあうこそすくまよりっだきつどけおえらめやわんみろじせば、。「」ー")
MIN_ALPHABETIC = 0.6  # of the characters of a text in UTF-16
MIN_SPACES = 1 / 400  # spaces and line ends among them
_COMMON = {
    "gb18030": frozenset(
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
        "过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
        "她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间"
        "由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
        "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变"
        "四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社"
        "便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北"
        "边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运势久，。、“”：；！？《》"
    ),
    "big5": frozenset(
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年"
        "過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心"
        "她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間"
        "由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給"
        "世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變"
        "四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社"
        "便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北"
        "邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運勢久，。、「」：；！？《》"
    ),
    "euc_kr": frozenset(
        "이다는의에을가고하를은지한로사기어도리자인그시나아스라대서일정전해들부수보장상제여과만세주"
        "소성국원동오게우구으적비당조관면공연신유생경위용무안없있었것거롭든람개발선방중화문학실명요"
        "미와모두내러저때더말등된될"
    ),
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "shift_jis": _KANA,
    "euc_jp": _KANA,
}
_EAST_ASIAN = _KANA.union(*(_COMMON[name] for name in ("gb18030", "big5", "euc_kr")))


def likely_encodings(data: bytes) -> list[str]:
    """East Asian and Cyrillic encodings that the beginning of a text may be in, the best first; [] for Western ones.

    Western texts have few characters beyond ASCII, and these others hardly any letters within it.
    """
    shares = {}
    for encoding, common in _COMMON.items():
        text = codecs.getincrementaldecoder(encoding)("replace").decode(data)
        beyond = [character for character in text if not character.isascii()]
        if len(beyond) >= MIN_BEYOND and len(re.findall("[A-Za-z]", text)) <= len(beyond):
            shares[encoding] = sum(character in common for character in beyond) / len(beyond)
    best = max((share for name, share in shares.items() if share >= _least(name)), default=1.0)
    likely = [name for name, share in shares.items() if share >= max(_least(name), 0.8 * best)]
    return sorted(likely, key=lambda name: -shares[name])


def utf_16(data: bytes) -> str:
    """The name of UTF-16 without a mark if the beginning of a text looks like it, else "".

    Most of its characters are below U+2000, as those of alphabets are, or many are common East Asian ones. Its spaces
    and line ends have zero bytes.
    """
    found = {}
    for name, high in (("utf-16-le", 1), ("utf-16-be", 0)) if b"\0" in data else ():
        with suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(name)().decode(data)
            beyond = [character for character in text if not character.isascii()]
            alphabetic = sum(byte < 0x20 for byte in data[high::2]) / max(1, len(data) // 2)
            east_asian = sum(character in _EAST_ASIAN for character in beyond) / max(1, len(beyond))
            spaces = text.count(" ") + text.count("\n") >= MIN_SPACES * len(text)
            if spaces and text and "\0" not in text and (alphabetic > MIN_ALPHABETIC or east_asian >= MIN_SHARE):
                found[name] = max(alphabetic, east_asian)
    return max(found, key=lambda name: found[name], default="")


def _least(encoding: str) -> float:
    return MIN_CYRILLIC if encoding in ("cp1251", "koi8_r") else MIN_SHARE
