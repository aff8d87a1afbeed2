"""Words and signs for the extension of a number, in many languages, as written between the number and its extension."""

from __future__ import annotations

import re

_WORDS = """
    # e?xt xt x ext(?:n|ension|ensión|ensão)? tel\\.?\\s*ext
    int(?:ern[oe]?)? anexo ramal r\\. poste pte
    durchwahl dw nst nebenstelle apparat app\\. klappe
    klapka kl\\. linka linia wewn? w\\. mellék lokal
    toestel tstl? anknytning ankn alanumero dahili sambungan
    nhánh máy\\slẻ қос(?:ымша)? доб(?:авочный)? вн(?:утр(?:енний)?)? εσ(?:ωτ(?:ερικό)?)?
    转接? 轉接? 分机号? 分機號? 内线 內線 内線 직통 내선 ต่อ שלוחה تحويلة داخلي د
"""
# The whole text between a number and its extension.
EXTENSION_MARK = re.compile(rf"(?:{'|'.join(_WORDS.split())})[\s.:\u00ba\u00b0#-]*", re.IGNORECASE)
