"""Relay of Alertmanager's webhooks to the robots of 钉钉 (DingTalk) and 企业微信 (WeCom), in their own formats.

    python3 relay.py --port 8060 --dingtalk-url-file F --dingtalk-secret-file F --wecom-url-file F

POST /dingtalk and POST /wecom accept Alertmanager's JSON (webhook version 4). They answer 200 after the robot accepted
the message, 404 if no robot is set, 400 for other input, and 502 if the robot refused or did not answer: Alertmanager
then tries again. Needs only Python 3.11. The files have one line each, which is never printed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

_TIMEOUT_S = 10.0
_MAX_BODY = 1024 * 1024
# 企业微信 refuses longer messages; 钉钉 accepts 20,000.
_MAX_MESSAGE = 4096
_MAX_ALERTS = 10


class Refused(Exception):
    """The robot did not accept the message; the text says why and contains no secret."""


@dataclass(frozen=True)
class Robot:
    """The robot of a group: its address with the token, and the secret that signs messages, if it requires one."""

    url: str
    secret: str = ""

    def signed_url(self, now_ms: int) -> str:
        """The address of a message. 钉钉 requires the time and its HMAC besides the token."""
        if not self.secret:
            return self.url
        digest = hmac.digest(self.secret.encode(), f"{now_ms}\n{self.secret}".encode(), hashlib.sha256)
        query = urllib.parse.urlencode({"timestamp": now_ms, "sign": base64.b64encode(digest).decode()})
        return f"{self.url}{'&' if '?' in self.url else '?'}{query}"

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises Refused."""
        request = urllib.request.Request(  # noqa: S310 - the operator's own file names it
            self.signed_url(int(time.time() * 1000)),
            json.dumps(message, ensure_ascii=False).encode(),
            {"Content-Type": "application/json; charset=utf-8"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                told = json.loads(answer.read(_MAX_BODY))
                code = told.get("errcode")
        except urllib.error.HTTPError as error:
            raise Refused(f"the robot answered HTTP {error.code}") from None
        except (OSError, ValueError, AttributeError) as error:
            raise Refused(f"the robot did not answer as one ({type(error).__name__})") from None
        if code != 0:
            raise Refused(f"the robot refused the message (errcode {code})")


def markdown(notice: dict[str, Any]) -> tuple[str, str]:
    """(title, text) of a notice: the summary in Chinese and in English, and the action."""
    firing = notice["status"] == "firing"
    alerts = notice["alerts"]
    title = f"{'告警' if firing else '恢复'} {notice['commonLabels'].get('alertname', 'BossJy')} ({len(alerts)})"
    lines = [f"### {title}"]
    for alert in alerts[:_MAX_ALERTS]:
        notes = alert["annotations"]
        lines.append(f"**{notes.get('summary_zh', '')}**\n\n{notes.get('summary', '')}")
        if firing and "action" in notes:
            lines.append(f"> {notes['action']}")
    if len(alerts) > _MAX_ALERTS:
        lines.append(f"… {len(alerts) - _MAX_ALERTS} more")
    # Truncated by bytes, as the robots count.
    return title, "\n\n".join(lines).encode()[:_MAX_MESSAGE].decode(errors="ignore")


def dingtalk_message(title: str, text: str) -> dict[str, Any]:
    """The message in the format of 钉钉."""
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}


def wecom_message(title: str, text: str) -> dict[str, Any]:  # noqa: ARG001 - one shape for both
    """The message in the format of 企业微信."""
    return {"msgtype": "markdown", "markdown": {"content": text}}


_SHAPES = {"/dingtalk": dingtalk_message, "/wecom": wecom_message}


class Relay(BaseHTTPRequestHandler):
    """One notice."""

    robots: dict[str, Robot]
    timeout = _TIMEOUT_S

    def do_POST(self) -> None:
        """Accept a notice and send it to the robot."""
        robot = self.robots.get(self.path)
        if robot is None:
            self._answer(404, "no robot is set for this path")
            return
        try:
            title, text = markdown(json.loads(self._body()))
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(400, "send Alertmanager's webhook JSON, up to 1 MiB")
            return
        try:
            robot.send(_SHAPES[self.path](title, text))
        except Refused as error:
            self._answer(502, str(error))
            return
        self._answer(200, "sent")

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length", ""))
        if not 0 <= length <= _MAX_BODY:
            raise ValueError("too long")
        return self.rfile.read(length)

    def _answer(self, code: int, text: str) -> None:
        body = text.encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _line(path: Path | None) -> str:
    return path.read_text("utf-8").strip() if path else ""


def main() -> NoReturn:
    """Serve on loopback until ended."""
    options = argparse.ArgumentParser(description="Alertmanager's webhooks to the robots of 钉钉 and 企业微信")
    options.add_argument("--port", type=int, default=8060, help="on 127.0.0.1 (8060; 0: any)")
    options.add_argument("--dingtalk-url-file", type=Path, help="file with the webhook address of the 钉钉 robot")
    options.add_argument("--dingtalk-secret-file", type=Path, help="file with its signing secret (SEC…), if any")
    options.add_argument("--wecom-url-file", type=Path, help="file with the webhook address of the 企业微信 robot")
    given = options.parse_args()
    robots = {
        "/dingtalk": Robot(_line(given.dingtalk_url_file), _line(given.dingtalk_secret_file)),
        "/wecom": Robot(_line(given.wecom_url_file)),
    }
    Relay.robots = {path: robot for path, robot in robots.items() if robot.url}
    if not Relay.robots:
        options.error("name at least one robot: --dingtalk-url-file or --wecom-url-file")
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Relay)
    print(f"relay on 127.0.0.1:{server.server_port} for {' '.join(Relay.robots)}", flush=True)
    server.serve_forever()
    raise AssertionError("it serves for ever")


if __name__ == "__main__":
    main()
