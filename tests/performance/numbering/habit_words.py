"""Words and marks that people and programs write around phone numbers, in many languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

LABELS_BEFORE = (
    "Tél. : ", "Tél ", "Telefon: ", "Telefonnummer ", "Teléfono: ", "Móvil: ", "Celular ", "Cel. ", "Telefone: ",
    "Telemóvel ", "Tlm. ", "Cellulare: ", "Cell. ", "Handy: ", "GSM ", "Gsm: ", "Puh. ", "Tlf. ", "Mob.tlf ",
    "Mobil: ", "Тел.: ", "тел ", "моб. ", "Моб.тел. ", "Телефон: ", "Τηλ.: ", "κιν. ", "هاتف: ", "جوال ",
    "موبايل: ", "تلفن ", "شماره ", "טלפון: ", "נייד ", "फ़ोन: ", "मोबाइल ", "ফোন ", "โทร. ", "โทรศัพท์ ", "ĐT: ",
    "SĐT: ", "điện thoại ", "전화: ", "휴대폰 ", "電話:", "電話番号：", "☎ ", "📞", "✆", "℡", "手機:", "联系方式：",
    "WhatsApp: ", "WA ", "微信/手机：", "HP: ", "No. HP ", "Telp. ", "Tlp ", "nr tel. ", "tel. kom. ", "T: ",
    "(m) ", "(w) ", "(H) ", "Home/ ", "Mob:", "No. ", "Nr. ", "№ ", "Phone #: ", "phone=", "tel=", "call ",
    "Call me at ", "> ", "- ", "* ", "• ", "@", "~", "Dr. ", "c/o ", "Mrs. O'Neil ", "张三（老板）", "[mobile] ",
    "<mobile> ", "mobile|", "M ", "T.", "Ph.", "ph: ",
)  # fmt: skip
LABELS_AFTER = (
    " (mobil)", " mobile", " - bureau", " kontor", " (móvil)", "(m)", " WhatsApp", "（座机）", " 휴대폰",
    ", privat", " جوال", " (Mama)", " *", " !", " ?", " ok", " <mobile>", " // home", " | work", " = Li", ".", ",",
    ";", " -", " 手机", "(老板娘)", " мама", " (раб.)", " נייד", " บ้าน", " नौकरी", " VoIP", " only SMS",
    " do not call", " bitte nicht anrufen", " (fax)", " fax", " tel", "(w)", " / home", " :", " #", " (a)", "...",
    " c", "/", "\\",
)  # fmt: skip
# `{}` is the extension.
EXTENSIONS = (
    "转{}", "转 {}", " 转{}", "转接{}", "分机{}", " 分机 {}", "分机号：{}", "分機{}", "轉{}", " 轉 {}", "內線{}",
    "内线：{}", " 内線{}", " ext {}", " ext.{}", " Ext: {}", " extn {}", " EXT{}", "ext{}", " x{}", "x{}", " X {}",
    " #{}", "#{}", " # {}", " доб. {}", " доб {}", " (доб. {})", ", доб. {}", " вн. {}", " внутр. {}", " ramal {}",
    " Ramal: {}", " R. {}", " Durchwahl {}", " DW {}", " DW-{}", " DW: {}", " Nebenstelle {}", " NSt {}",
    " Apparat {}", " App. {}", " Klappe {}", " int. {}", " int {}", " interno {}", " int.{}", " interne {}",
    " anexo {}", " Anexo: {}", " poste {}", " Poste : {}", " wew. {}", " wew {}", " wewn. {}", " w. {}",
    " تحويلة {}", " داخلي {}", " د {}", " 내선 {}", " 내선{}", " máy lẻ {}", " nhánh {}", " dahili {}", " (ext {})",
    " [ext. {}]", ", ext {}", " - ext {}", ";ext={}", " extension {}", " Extension: {}", " extensión {}",
    " toestel {}", " tst. {}", " anknytning {}", " ankn. {}", " lokal {}", " klapka {}", " kl. {}", " linka {}",
    " mellék {}", " alanumero {}", " ต่อ {}", " ต่อ{}", " εσωτ. {}", " שלוחה {}", " sambungan {}", "—{}", " xt {}",
    " εσ. {}", " қосымша {}", " қос. {}",
)  # fmt: skip
SEPARATORS = (
    "/", " / ", "//", ",", ", ", ";", "; ", "、", "；", "，", "|", " | ", "||", "&", " & ", "或", " or ", " und ",
    " et ", " y ", " e ", " och ", " og ", " en ", " ve ", " и ", "や", " lub ", " oder ", " atau ", " hoặc ",
    " หรือ ", " أو ", " و ", "\n", "\r\n", "\n\n", "\t", ":::", " : ", "  ", " - ", " – ", "<br>", " <br/> ", "\\n",
    "·", "•", " * ", "*", "_", "\u2028", ":", "=", "~", " → ", "\\", " \\ ", "@", " and ", "和", " 及 ", "与",
    " o ", " ou ", " u ", " или ", " tai ", " eller ", " sau ", " nebo ", " și ", " 또는 ", " 및 ", "、 ", " ; ",
    " ,", " ;", " y/o ", "/ ", " + ", "__", " . ", "。", " {} ", "】【",
)  # fmt: skip
# `{}` is the number; other digits belong to another field.
OTHER_FIELDS = (
    "Ann, {}", "{};Ann;Shanghai", "ann@example.com {}", "{} ann@example.com", "ann77@example.com, {}", "{} Room 12",
    "12 Main St, {}", "{} (9-17h)", "{} 24/7", "{} 2024-01-05", "2024-01-05 {}", "05.01.2024 {}", "{} (05/01/2024)",
    "ID 4711: {}", "A-12 {}", "{} apt 4", "{} 2nd floor", "{}, 3rd wife", "3M {}", "2 × {}", "{} [1]", "1. {}",
    "(1) {}", "3- {}", "A1: {}", "{} (1)", "{} (old until 2020)", "since 2019: {}", "{} 09:00-18:00", "9am-5pm {}",
    "{} (2 rings)", "¥100 {}", "€ 20 {}", "{} 50%", "Q3 {}", "v2 {}", "{} age 42", "42 years, {}", "Zimmer 214 {}",
    "{} Zi. 214", "公寓3号 {}", "{} 3楼", "第2 {}", "{}（2）", "① {}", "{} ②", "no.1 {}", "1号：{}", "2: {}",
    "tel1: {}", "Tel 2: {}", "phone2={}", "mobile_1: {}", "Telefon 1 {}",
)  # fmt: skip
QUOTES = (
    "'{}", "'{}'", '"{}"', '="{}"', '=""{}""', '"=""{}"""', "’{}", "‘{}’", "“{}”", "„{}“", "«{}»", "「{}」",
    "『{}』", "`{}`", "({})", "[{}]", "{{{}}}", "<{}>", "（{}）", "【{}】", "〔{}〕", "'{}\"", "''{}", "''{}''",
    "\\'{}\\'", '\\"{}\\"', "&quot;{}&quot;", "&#39;{}", "<b>{}</b>", "**{}**", "_{}_", "|{}|", "= {}", "{} ",
    "  {}", "\n{}\n", "\ufeff{}",
)  # fmt: skip
URIS = (
    "tel:{e}", "tel:{h}", "TEL:{e}", "tel://{e}", "tel:{e};ext=12", "callto:{e}", "sip:{e}@example.com", "sms:{e}",
    "https://wa.me/{d}", "wa.me/{d}", "whatsapp://send?phone={d}", "https://api.whatsapp.com/send?phone={d}",
    "<tel:{e}>", "[{i}](tel:{e})", '<a href="tel:{e}">{i}</a>', "tel%3A{e}", "facetime:{e}", "{d}@c.us",
    "{d}@s.whatsapp.net", "tel:{h};phone-context=example.org",
)  # fmt: skip
INVISIBLE = tuple(
    "\u200b\u200c\u200d\ufeff\u2060\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u180e\u2061"
    "\ufe0f\ufe0e\u034f"
)
LOOKALIKES = {
    "0": ("O", "o", "О", "о", "Ο", "ο", "Ｏ", "ｏ", "〇"),
    "1": ("l", "I", "i", "І", "ｌ", "Ｉ", "ı"),
}


def _grouped(digits: str, mark: str) -> str:
    return f"{int(digits):,}".replace(",", mark)


def _scientific(digits: str, form: str) -> str:
    return form.format(m=digits[0], d=digits[1:].rstrip("0") or "0", f=digits[1:], x=len(digits) - 1)


# Number cells that keep all digits, as programs write them.
CELLS: tuple[Callable[[str], str], ...] = (
    lambda digits: digits + ".0",
    lambda digits: digits + ".00",
    lambda digits: digits + ",0",
    lambda digits: digits + ",00",
    lambda digits: digits + ".000000",
    lambda digits: digits + ".",
    lambda digits: _scientific(digits, "{m}.{d}E{x}"),
    lambda digits: _scientific(digits, "{m}.{f}E+{x}"),
    lambda digits: _scientific(digits, "{m},{f}E+{x}"),
    lambda digits: _scientific(digits, "{m},{d}E{x}"),
    lambda digits: _scientific(digits, "{m}.{f}0000e+{x:02}"),
    lambda digits: _scientific(digits, "{m}.{f}00000000E+{x:03}"),
    lambda digits: _scientific(digits, "'{m}.{d}E{x}"),
    lambda digits: _scientific(digits, " {m}.{d}E{x} "),
    lambda digits: _grouped(digits, ","),
    lambda digits: _grouped(digits, "."),
    lambda digits: _grouped(digits, "'"),
    lambda digits: _grouped(digits, "’"),
    lambda digits: _grouped(digits, " "),
    lambda digits: _grouped(digits, "\u202f"),
    lambda digits: _grouped(digits, ",") + ".00",
    lambda digits: _grouped(digits, ".") + ",00",
    lambda digits: f'="{digits}"',
    lambda digits: f"={digits}",
    lambda digits: f"'{digits}",
    lambda digits: f"{digits}L",
    lambda digits: f"{digits}n",
    lambda digits: f"Decimal('{digits}')",
    lambda digits: f"{digits}.0 ",
)


@cache
def digits_of_scripts() -> tuple[dict[int, str], ...]:
    """Translations of ASCII digits to those of other scripts, and of marks where the script has its own."""
    zeros = "\u0660\u06f0\u0966\u09e6\u0e50\u1040\u17e0\u0a66\u0be6\u0ed0\uff10\U0001d7ce\U0001d7d8\U0001d7f6"
    tables: list[dict[int, str]] = []
    for zero in zeros:
        table = {ord("0") + value: chr(ord(zero) + value) for value in range(10)}
        if zero == "\uff10":
            table |= {ord(mark): chr(ord(mark) + 0xFEE0) for mark in "+-()./"} | {ord(" "): "\u3000"}
        tables.append(table)
    return tuple(tables)
