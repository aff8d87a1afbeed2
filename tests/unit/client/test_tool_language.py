"""Language of the tool: each message has a Chinese text with the same placeholders, and programs read English."""

from __future__ import annotations

import ast
import json
import string

import pytest

from bossjy.common.v1 import error_reason_pb2
from bossjy_client import reachability
from bossjy_client.cli import main
from bossjy_client.cli.chinese import CHINESE
from bossjy_client.cli.chinese.errors import FRAGMENTS, REASONS, chinese_error
from bossjy_client.cli.messages import is_chinese, language_of, tr, use_language
from bossjy_client.errors import BossjyError
from tests.unit.client.tool_messages import message_ids, sources

# Calls whose first argument people read.
_SHOWN = frozenset({"note", "line", "ask", "secret", "text", "choice", "agreed", "UsageError", "CredentialsError"})


def placeholders(text: str) -> list[tuple[str, str, str]]:
    """Name, format and conversion of each placeholder."""
    return sorted(
        (name, form or "", conversion or "")
        for _, name, form, conversion in string.Formatter().parse(text)
        if name is not None
    )


def test_each_message_has_a_chinese_text_and_each_text_a_message() -> None:
    ids = message_ids()
    assert sorted(ids - CHINESE.keys()) == []
    assert sorted(CHINESE.keys() - ids) == []


def test_the_placeholders_agree() -> None:
    wrong = []
    for english, chinese in CHINESE.items():
        # `{names}` may be repeated in one language only.
        if {*placeholders(english)} != {*placeholders(chinese)} and "eval " not in english:
            wrong.append(english)
    assert wrong == []


def test_chinese_texts_are_chinese_and_keep_options_and_commands() -> None:
    same = {"E.164", "URI", "URL", "bossjy login --target {target} --tenant {tenant_id} --email {email}"}
    for english, chinese in CHINESE.items():
        if english in same:
            continue
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese) or len(chinese) < 50, english
        options = {word.strip("`'.,;:()") for word in english.split() if word.strip("`'.,;:()").startswith("--")}
        assert all(option in chinese for option in options - {"--language"}), english


def test_each_reason_of_the_contract_has_a_sentence() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118
    assert names - {"UNSPECIFIED"} == REASONS.keys()


def test_each_cause_of_a_failed_connection_is_translated() -> None:
    causes = {text for _, text in (*reachability._LASTING, *reachability._PASSING)}
    assert causes <= FRAGMENTS.keys()
    refused = "no connection to there:1: the connection is refused: check the address, and that the server runs"
    assert chinese_error(BossjyError(refused)) == "无法连接 there:1：连接被拒绝：请检查地址以及服务是否在运行"
    told = chinese_error(BossjyError("you lack keys.write", reason="SCOPE_MISSING"))
    assert told == "没有所需的权限（you lack keys.write）"


def test_no_text_for_people_bypasses_the_translation() -> None:
    plain = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            is_text = isinstance(first, ast.Constant) and isinstance(first.value, str) and " " in first.value
            if name in _SHOWN and (is_text or isinstance(first, ast.JoinedStr)):
                parts = first.values if isinstance(first, ast.JoinedStr) else [first]
                if any(isinstance(one, ast.Constant) and " " in str(one.value).strip() for one in parts):
                    plain.append(f"{path.name}:{node.lineno}")
    assert plain == []


@pytest.mark.parametrize(
    ("words", "environment", "language"),
    [
        ([], {}, ""),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh_CN.UTF-8"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, ""),
        ([], {"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh_CN.UTF-8"),
        ([], {"LANG": "de_DE.UTF-8", "LANGUAGE": "zh:de"}, "zh"),
        ([], {"LANG": "C.UTF-8", "LANGUAGE": "zh"}, ""),
        (["plan", "--language", "en"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["--language=zh", "plan"], {}, "zh"),
        (["plan", "--language"], {}, ""),
    ],
)
def test_the_language_is_that_of_the_option_or_the_locale(
    words: list[str], environment: dict[str, str], language: str
) -> None:
    assert language_of(words, environment) == language


@pytest.mark.parametrize(
    ("tag", "chinese"), [("zh", True), ("zh_CN.UTF-8", True), ("zh-Hant", True), ("en", False), ("", False)]
)
def test_tags_of_chinese(tag: str, *, chinese: bool) -> None:
    assert is_chinese(tag) is chinese
    use_language(tag)
    try:
        assert (tr("yes") == "是") is chinese
        assert tr("no message of the tool") == "no message of the tool"
    finally:
        use_language("")


def test_help_and_errors_in_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("用法：bossjy")
    assert "退出码：" in shown
    assert main(["imprts"]) == 2
    assert capsys.readouterr().err == "bossjy: 没有命令 imprts；您是否想输入 imports 或 import？\n详见 bossjy --help\n"
    assert main(["phone", "bulk"]) == 2
    assert "缺少参数：FILE" in capsys.readouterr().err


def test_json_is_english_in_every_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["imprts", "--json"]) == 2
    english = capsys.readouterr().err
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["imprts", "--json"]) == 2
    assert capsys.readouterr().err == english
    assert json.loads(english)["error"]["message"].startswith("there is no command imprts")
