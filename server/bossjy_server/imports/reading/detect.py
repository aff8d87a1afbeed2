"""Detection of encoding, delimiter and form from the first bytes of a file, each with the evidence for people."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

import orjson

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.alphabets import SINGLE_BYTE, plausible_readings
from bossjy_server.imports.reading.layout import Layout
from bossjy_server.imports.reading.scan import Incomplete, scan_row
from bossjy_server.imports.reading.transcode import IANA, codec_of

# Bytes of the sample. While all bytes are ASCII, which does not predict the later ones, so many are awaited.
SAMPLE_BYTES = 64 * 1024
DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 50
_ABOVE_ASCII = re.compile(rb"[\x80-\xff]")
# One line of other bytes may be a fault. This number of lines determines the encoding of the following lines.
_FEWEST_LATER_LINES = 3
_FIRST_LINE = re.compile(rb"[^\r\n]*")
ASCII_ALONE = "ASCII alone"
_CHINESE = ("gb18030", "big5hkscs")
# Common characters in lists of contacts, of either script: they show the right decoding.
_SIMPLIFIED = frozenset(
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没"
    "于起还发成事只作当想看文无开手用主方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月"
    "明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并"
    "内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更"
    "号码邮箱姓址机联系备注州京深广杭成都武汉南苏津重庆青岛连王李刘陈杨赵黄周吴徐孙胡朱林郭罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董"
    "袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟崔汪范陆廖贾夏韦方石娜敏静丽强磊军洋勇艳杰娟涛超霞刚芳欣宇浩轩涵梓晨嘉诺诗雨"
)
_TRADITIONAL = frozenset(
    "這來國個說們為時過學對裡後麼發當開頭動兩長樣現將與進實點種聲話兒問機給幾業間電東關並內產萬處總場師書員華報馬張難數"
    "號碼郵聯繫備註廣蘇連劉陳楊趙黃吳孫羅鄭許鄧馮韓蔣盧鍾陸賈麗強軍艷傑濤剛區縣鄉鎮灣灣臺香港澳門"
)
_COMMON = _SIMPLIFIED | _TRADITIONAL


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and the reason for it."""

    value: str
    evidence: str


def find_encoding(sample: bytes, asked: str, *, final: bool, hurry: bool = False) -> Found | None:
    """The codec of a sample; None while it is ambiguous. Raises InvalidArgument(ENCODING_UNSUPPORTED).

    hurry: ASCII is enough, however short the sample is; later bytes determine the encoding.
    """
    if asked:
        return _asked(asked)
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if sample.startswith(mark):
            return Found(codec, "byte order mark")
    if not final and (len(sample) < 4 or (sample.isascii() and len(sample) < SAMPLE_BYTES and not hurry)):
        return None
    if b"\0" in sample and (wide := _wide(sample)):
        return wide
    if _decodes(sample, "utf-8", final=final):
        return Found("utf-8", "valid UTF-8" if not sample.isascii() else ASCII_ALONE)
    return _mostly_utf8(sample) or _legacy(sample, final=final)


def bom_length(sample: bytes, codec: str) -> int:
    """The length of the byte order mark at the start in bytes."""
    mark = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(codec)
    return len(mark) if mark and sample.startswith(mark) else 0


def find_delimiter(text: bytes, quote: bytes, escape: bytes = b"") -> Found:
    """The delimiter that splits the first rows into the same number of cells. Of several, the one with most cells."""
    best = Found(",", "no delimiter cuts the rows; comma by default")
    best_score = (0.0, 0)
    for sign in DELIMITERS:
        counts = _cell_counts(text, Layout(sign.encode(), quote, 0, 1 << 20, escape))
        if not counts:
            continue
        cells, rows = counts.most_common(1)[0]
        total = counts.total()
        if cells > 1 and (rows / total, cells) > best_score:
            best_score = (rows / total, cells)
            name = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}[sign]
            best = Found(sign, f"{name}: {rows} of the first {total} rows have {cells} cells")
    return best


def looks_like_jsonl(text: bytes) -> bool:
    """True if the first line that is not empty is a JSON object."""
    line = _FIRST_LINE.match(text.lstrip()).group()  # type: ignore[union-attr]  # matches every text
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def find_later_encoding(data: bytes) -> str | None:
    """The codec of the first bytes that are not ASCII, after only ASCII; None while it is not certain."""
    sample = data[max(0, _first_above_ascii(data) - SAMPLE_BYTES // 2) :][:SAMPLE_BYTES]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    if sample.isascii():
        return None
    if _decodes(sample, "utf-8", final=False):
        return "utf-8"
    try:
        found = (_mostly_utf8(sample) or _legacy(sample, final=False)).value
    except InvalidArgument:
        return None
    lines = sum(not line.isascii() for line in sample.splitlines())
    return found if found in _CHINESE or lines >= _FEWEST_LATER_LINES else None


def _first_above_ascii(data: bytes) -> int:
    found = _ABOVE_ASCII.search(data)
    return found.start() if found else len(data)


def _asked(name: str) -> Found:
    codec = codec_of(name)
    if codec is None:
        raise InvalidArgument(
            Reason.ENCODING_UNSUPPORTED,
            f"the encoding is not supported: name one of {', '.join(sorted(set(IANA.values())))}, "
            "or convert the file to UTF-8",
            metadata={"encoding": name},
        )
    return Found(codec, "as asked")


def _wide(sample: bytes) -> Found | None:
    """UTF-16 without a mark: every other byte of ASCII text is zero."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 4 < len(sample) or min(even, odd) * 20 > len(sample):
        return None
    codec = "utf-16-be" if even > odd else "utf-16-le"
    return Found(codec, "every other byte is zero") if _decodes(sample, codec, final=False) else None


def _mostly_utf8(sample: bytes) -> Found | None:
    """UTF-8 with some rows in another encoding. Those rows are then rejected one by one.

    Text in another encoding is rarely valid UTF-8. If it is, its characters in UTF-8 are not common ones.
    """
    lines = [line for line in sample.splitlines() if not line.isascii()]
    valid = sum(_decodes(line, "utf-8", final=True) for line in lines)
    if 2 * valid <= len(lines):
        return None
    fitting = [codec for codec in _CHINESE if _decodes(sample, codec, final=False)]
    if any(_share_of_common(sample, codec) > _share_of_common(sample, "utf-8") for codec in fitting):
        return None
    return Found("utf-8", f"valid UTF-8 in {valid} of the first {len(lines)} lines that are not ASCII")


def _legacy(sample: bytes, *, final: bool) -> Found:
    scores = {codec: _share_of_common(sample, codec) for codec in _CHINESE if _decodes(sample, codec, final=final)}
    readings = plausible_readings(sample)
    if scores:
        codec = max(scores, key=lambda one: (scores[one], one == "gb18030"))
        if scores[codec] >= (0.5 if readings else 0.15):
            return Found(codec, f"not UTF-8; {scores[codec]:.0%} of its Chinese characters are common ones")
    if mostly := _mostly_chinese(sample):
        return mostly
    east = [codec for codec in _EASTERN if _decodes(sample, codec, final=final) and _is_eastern(sample, codec)]
    if len(readings) == 1 and not east:
        return Found(readings[0].codec, f"not UTF-8; {_LETTERS_SAID} {readings[0].letters[:40]}")
    if len(east) == 1 and not readings:
        return Found(east[0], "not UTF-8; most of its characters are of one eastern script")
    likely = [*(one.codec for one in readings), *east]
    raise _uncertain([*likely, *(codec for codec in (*scores, *_fitting(sample)) if codec not in likely)])


def _mostly_chinese(sample: bytes) -> Found | None:
    """Chinese with some lines in another encoding. Those lines are then rejected one by one."""
    lines = [line for line in sample.splitlines() if not line.isascii()]
    for codec in _CHINESE:
        fitting = [line for line in lines if _decodes(line, codec, final=True)]
        if len(fitting) * 5 >= len(lines) * 4 and _share_of_common(b"\n".join(fitting), codec) >= 0.3:
            return Found(codec, f"not UTF-8; {len(fitting)} of the first {len(lines)} lines that are not ASCII fit")
    return None


def _is_eastern(sample: bytes, codec: str) -> bool:
    """True if Japanese has its syllables, and Korean has little besides its own."""
    text = codecs.getincrementaldecoder(codec)("ignore").decode(sample)
    others = [sign for sign in text if sign > "\x7f"]
    if codec == "cp949":
        hangul = sum("\uac00" <= sign <= "\ud7a3" for sign in others)
        # The syllables that cp949 adds to EUC-KR are rare, and frequent in misread bytes of other encodings.
        return hangul >= 0.8 * len(others) and _decodes(sample, "euc-kr", final=False)
    return sum("\u3041" <= sign <= "\u30ff" for sign in others) >= 0.2 * len(others)


def _fitting(sample: bytes) -> list[str]:
    return [codec for codec in (*_EASTERN, *SINGLE_BYTE) if _decodes(sample, codec, final=False)]


def _uncertain(codecs_found: list[str]) -> InvalidArgument:
    names = ", ".join(IANA[codec] for codec in codecs_found[:_NAMED])
    fitting = f"the bytes could be {names}" if names else "no encoding fits the bytes"
    return InvalidArgument(
        Reason.ENCODING_UNSUPPORTED,
        f"the encoding is not certain: {fitting}. Name it (`--encoding` of `bossjy import`, `source.encoding` of the "
        "specification), or convert the file to UTF-8",
        metadata={"encoding": "", "candidates": names},
    )


_EASTERN = ("cp932", "cp949")
_LETTERS_SAID = "one language has all of its letters:"
_NAMED = 8


def _decodes(sample: bytes, codec: str, *, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(sample, final)
    except UnicodeDecodeError:
        return False
    return True


def _share_of_common(sample: bytes, codec: str) -> float:
    text = codecs.getincrementaldecoder(codec)("ignore").decode(sample)
    others = [sign for sign in text if sign > "\x7f"]
    return sum(sign in _COMMON for sign in others) / len(others) if others else 0.0


def _cell_counts(text: bytes, layout: Layout) -> Counter[int]:
    counts: Counter[int] = Counter()
    position = 0
    while position < len(text) and counts.total() < _SAMPLE_ROWS:
        try:
            row = scan_row(text, position, layout, final=False)
        except Incomplete:
            if not counts:
                row = scan_row(text, position, layout, final=True)
                counts[len(row.cells)] += 1
            break
        if row.next < 0:
            break
        if row.end > row.start and row.fault is None:
            counts[len(row.cells)] += 1
        position = row.next
    return counts
