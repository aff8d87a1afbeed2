"""Region hints: what people and files write for a region, read as its ISO 3166 alpha-2 code.

Read are alpha-2 and alpha-3 codes in any case, calling codes (`86`, `+86`, `0086`), names in every language of
`phonenumbers`, and usual other names. A hint that could name two regions is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property

import phonenumbers

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
# What catalogues write before or after a name.
_TITLES = re.compile(r"特别行政区|\b(?:SAR|S\.A\.R\.|P\.?\s?R\.?|the|republic of|kingdom of)(?=\W|$)", re.IGNORECASE)
# Other codes and everyday names.
_USUAL = (
    "GB:uk england scotland wales britain greatbritain 英格兰 大不列颠;GR:el;"
    "US:usa america unitedstatesofamerica states 美利坚合众国;"
    "CN:prc mainlandchina peoplesrepublicofchina 中国大陆 中华人民共和国 大陆 内地;"
    "HK:hksar 中国香港 hongkongsar;MO:中国澳门 macao macau;TW:中国台湾 臺灣 台灣 台湾省 taiwan;"
    "KR:southkorea korea republicofkorea 南韩 大韩民国;KP:northkorea 朝鲜 北韩;RU:russianfederation;"
    "AE:uae emirates;CZ:czechrepublic 捷克共和国;VN:vietnam;LA:laos;IR:persia;SY:syria;TZ:tanzania;"
    "MK:macedonia;CI:ivorycoast 科特迪瓦;CD:drc drcongo congokinshasa;CG:congobrazzaville;MM:burma 缅甸;"
    "NL:holland thenetherlands;TR:turkey turkiye türkiye;CV:capeverde;SZ:swaziland;TL:easttimor;"
    "VA:vatican holysee;BN:brunei;MD:moldova;BO:bolivia;VE:venezuela;FM:micronesia;PS:palestine;"
    "SG:新加坡共和国;MY:马来西亚联邦;JP:日本国;SA:ksa"
)


class RegionHints:
    """Reads hints for the regions of the installed `phonenumbers`. The tables of names are read at the first name."""

    def __init__(self) -> None:
        self._regions = frozenset(phonenumbers.SUPPORTED_REGIONS)
        pairs = (pair for pair in "".join(_ALPHA3).split())
        self._alpha3 = {pair[:3]: pair[3:] for pair in pairs}

    def region(self, hint: str) -> str | None:
        """The region that a hint names, or None. An alpha-2 code in capitals is itself."""
        if hint in self._regions:
            return hint
        text = unicodedata.normalize("NFKC", hint).strip()
        if not text or len(text) > 100:
            return None
        code = text.upper()
        if code in self._regions:
            return code
        if code in self._alpha3:
            return self._alpha3[code]
        digits = text.lstrip("+").strip()
        if digits.isascii() and digits.isdigit():
            return self._of_calling_code(digits)
        return next((self._names[name] for name in map(_folded, _variants(text)) if name in self._names), None)

    def regions(self) -> frozenset[str]:
        """All regions that a hint can name."""
        return self._regions

    def _of_calling_code(self, digits: str) -> str | None:
        region = phonenumbers.region_code_for_country_code(int(digits.removeprefix("00")[:4] or 0))
        return region if region in self._regions else None

    @cached_property
    def _names(self) -> dict[str, str]:
        names: dict[str, set[str]] = {}
        for region, by_language in language_tables().items():
            if region in self._regions:
                for name in by_language.values():
                    names.setdefault(_folded(name), set()).add(region)
        # A name of several regions in different languages names none of them.
        read = {name: next(iter(regions)) for name, regions in names.items() if len(regions) == 1}
        for entry in _USUAL.split(";"):
            region, _, words = entry.partition(":")
            read |= dict.fromkeys(map(_folded, words.split()), region)
        return read


def _variants(text: str) -> Iterator[str]:
    """A name as it is, and without what catalogues add: `China (CN)`, `Korea, Republic of`, `Macau SAR`."""
    yield text
    core = re.sub(r"\s*[(\[].*?[)\]]", "", text)
    yield core
    core = core.partition(",")[0]
    yield core
    core = re.sub(
        r"特别行政区|\b(?:SAR|S\.A\.R\.|P\.?\s?R\.?|the|republic of|kingdom of)(?=\W|$)", "", core, flags=re.IGNORECASE
    )
    yield core
    yield re.sub(r"(?i)\b(?:china|中国)\b", "", core) or core


def _folded(name: str) -> str:
    """A name without case, accents' variants of writing, spaces and punctuation."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in text if character.isalnum())
