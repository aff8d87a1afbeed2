"""Region hints: the ways in which people and files write a region, read as its ISO 3166 alpha-2 code.

RegionHints reads alpha-2 and alpha-3 codes in any case, calling codes (`86`, `+86`, `0086`, `+1-876`), flags, names of
region_words.txt and of `phonenumbers`, and usual other names. It reads a hint of several parts (`CN - China`) if all
parts name one region. It does not read a hint that could name two regions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import phonenumbers
from phonenumbers import PhoneMetadata

from bossjy_numbering.region_names import language_tables

# Alpha-3 and alpha-2 codes of ISO 3166-1, as the Unicode CLDR lists them (release 47).
_ALPHA3 = (
    "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASCAC ASMAS ATGAG AUSAU AUTAT AZEAZ BDIBI BELBE "
    "BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BWABW "
    "CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX "
    "CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ "
    "FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL "
    "GTMGT GUFGF GUMGU GUYGY HKGHK HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL "
    "ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC "
    "LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT "
    "MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI "
    "NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY "
    "PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO "
    "SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TAATA TCATC TCDTD TGOTG THATH TJKTJ "
    "TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA URYUY USAUS UZBUZ VATVA VCTVC VENVE "
    "VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS XKKXK YEMYE ZAFZA ZMBZM ZWEZW "
)
# Words that catalogues add to a name.
_GENERIC_WORDS = """
    the of republic kingdom state states islamic united federal federated plurinational bolivarian former country
    principality commonwealth federative union sultanate sar pr mainland special administrative region territory
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())
# Names that mean another region if an unread word is added.
_OPEN_NAMES = frozenset({"korea", "congo", "virginislands", "georgia", "samoa", "guinea", "saintmartin"})
# Characters; a longer text is no hint, and is rejected without a search.
LONGEST_HINT = 100
_MOST_PARTS = 4
_CALLING_CODE = re.compile(r"['(\s]*(?:\+|00)?[\s(]*([0-9][0-9\s()\-.]{0,12}?)(?:\.0)?[)\s]*")
# ISO 3166-2, such as GB-ENG.
_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
_PARTS = re.compile(r"\s+[-–—]+\s+|[/|(),:;\[\]]+|(?<=[A-Za-z]{3})-(?=[^A-Za-z])|(?<=^[A-Za-z]{2})-")
# Between letters and digits, and between Chinese characters and other letters.
_SCRIPTS = re.compile(
    r"(?<=[^\W\d])\s*(?=\+?\d)|(?<=\d)\s*(?=[^\W\d])|(?<=[一-鿿])\s*(?=[A-Za-z])|(?<=[A-Za-z])\s*(?=[一-鿿])"
)
_FLAG = 0x1F1E6 - ord("A")


class RegionHints:
    """Reads hints for the regions of the installed `phonenumbers`. The tables of names are read at the first name."""

    def __init__(self) -> None:
        self._regions = frozenset(phonenumbers.SUPPORTED_REGIONS)
        pairs = (pair for pair in "".join(_ALPHA3).split())
        self._alpha3 = {pair[:3]: pair[3:] for pair in pairs}

    def region(self, hint: str) -> str | None:
        """The region of a hint, or None. An alpha-2 code in capitals is itself."""
        if hint in self._regions:
            return hint
        if len(hint) > LONGEST_HINT:
            return None
        text = unicodedata.normalize("NFKC", hint).strip()
        if not text or len(text) > LONGEST_HINT:
            return None
        return self._one(text) or self._without_addition(text) or self._of_parts(text)

    def regions(self) -> frozenset[str]:
        """All regions that a hint can name."""
        return self._regions

    def alpha3(self) -> dict[str, str]:
        """ISO 3166-1 alpha-3 codes of these regions, and their alpha-2 codes."""
        return {code: region for code, region in self._alpha3.items() if region in self._regions}

    def is_calling_code(self, hint: str) -> bool:
        """True if a hint is the calling code of a region, such as `+86`, `86` or `+1-876`."""
        if len(hint) > LONGEST_HINT:
            return False
        written = _CALLING_CODE.fullmatch(unicodedata.normalize("NFKC", hint))
        return written is not None and self._of_calling_code(written[1]) is not None

    def _one(self, text: str) -> str | None:
        """The region of a hint that is one code or one name."""
        code = text.upper()
        if code in self._regions:
            return code
        if code in self._alpha3:
            # `Nga` is Russia in Vietnamese, and NGA is Nigeria.
            named = None if text == code else _names().get(_folded(text))
            return named or self._alpha3[code]
        if written := _CALLING_CODE.fullmatch(text):
            return self._of_calling_code(written[1])
        if written := _SUBDIVISION.fullmatch(text):
            return written[1] if written[1] in self._regions else None
        if len(text) == 2 and min(text) > "\U0001f1e5":
            code = "".join(chr(ord(character) - _FLAG) for character in text if ord(character) >= _FLAG)
            return code if code in self._regions else None
        return _names().get(_folded(text))

    def _without_addition(self, text: str) -> str | None:
        """The region of a name with additions of catalogues: `Korea, Republic of`, `Macau SAR`, `The Bahamas`."""
        core, _, addition = text.partition(",")
        if not addition:
            core, _, addition = text.rstrip(" )]").replace("[", "(").partition("(")
        if addition:
            turned = self._one(f"{addition.strip(' ()')} {core.strip()}")
            if turned is not None:
                return turned
            if not all(word in _GENERIC or word == "china" for word in _words(addition)):
                return self._of_core(core, addition)
        words = _words(core)
        name = "".join(word for word in words if word not in _GENERIC).replace("特别行政区", "")
        names = _names()
        shorter = name.removesuffix("china").removeprefix("中国").removeprefix("中國")
        return names.get(name) or names.get(shorter)

    def _of_core(self, core: str, addition: str) -> str | None:
        """The region of a name before an addition that names no other region: `India (Mumbai)`."""
        core = core.strip()
        if _folded(core) in _OPEN_NAMES or self._one(addition.strip(" ()")) is not None:
            return None
        return self._one(core) if "," not in core else None

    def _of_parts(self, text: str) -> str | None:
        """The one region that all parts of a hint name."""
        parts = [part.strip() for part in _PARTS.split(text) if part.strip()]
        if len(parts) < 2:
            parts = [part.strip() for part in _SCRIPTS.split(text) if part.strip()]
        if not 1 < len(parts) <= _MOST_PARTS:
            return None
        read = {self._one(part) or self._without_addition(part) for part in parts}
        return read.pop() if len(read) == 1 else None

    def _of_calling_code(self, written: str) -> str | None:
        """The main region of a calling code, or the region that the digits after it name (`1876` is Jamaica)."""
        digits = "".join(filter(str.isdigit, written)).removeprefix("00")
        for length in range(1, min(3, len(digits)) + 1):
            regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length]))
            if digits[0] == "0" or regions is None:
                continue
            rest = digits[length:]
            if not rest:
                return regions[0] if regions[0] in self._regions else None
            return next((region for region in regions if re.fullmatch(_leading_digits(region), rest)), None)
        return None


def _leading_digits(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata.leading_digits if metadata is not None else None) or "(?!)"


@cache
def _names() -> dict[str, str]:
    """Folded names to regions."""
    names: dict[str, set[str]] = {}
    certain: dict[str, str] = {}
    for region, words in _lines("region_words.txt"):
        # Chinese and English come first, and apply whatever the name means in other languages.
        certain |= {name: region for name in words[:3] if name not in certain}
        for name in words:
            names.setdefault(name, set()).add(region)
    for region, by_language in language_tables().items():
        for name in by_language.values():
            names.setdefault(_folded(name), set()).add(region)
    # A name of several regions in different languages names none of them.
    read = {name: next(iter(regions)) for name, regions in names.items() if len(regions) == 1} | certain
    read |= {name: region for region, words in _lines("region_usual.txt") for name in words}
    return {name: region for name, region in read.items() if name and region in phonenumbers.SUPPORTED_REGIONS}


def _lines(file: str) -> Iterator[tuple[str, list[str]]]:
    """Regions and their folded names."""
    for line in files("bossjy_numbering").joinpath(file).read_text("utf-8").splitlines():
        region, *names = line.split("|")
        if names:
            yield region, [_folded(name) for name in names]


def _words(text: str) -> list[str]:
    """The folded words of a name; `P.R.` is one word."""
    spaced = re.sub(r"\b(\w)\.\s?(?=\w(?:\.|\s|$))", r"\1", text)
    return [folded for word in re.split(r"[^\w'’]+", spaced) if (folded := _folded(word))]


def _folded(name: str) -> str:
    """A name without case, accents, spaces and punctuation; `&` is `and`, and `St.` is `Saint`."""
    text = unicodedata.normalize("NFKD", re.sub(r"\b[Ss][Tt]\b\.?", "saint", name.replace("&", " and "))).casefold()
    return unicodedata.normalize("NFC", "".join(character for character in text if character.isalnum()))
