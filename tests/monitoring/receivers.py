"""Receivers of alerts on loopback: robots of 钉钉 and 企业微信, a webhook, a mail server; by the real protocols."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import socketserver
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "SECsigning"


class _Server(socketserver.ThreadingTCPServer):
    """A mail server."""

    allow_reuse_address, daemon_threads = True, True


@dataclass
class Receivers:
    """The messages so far, as texts: by 钉钉, 企业微信, webhook, mail."""

    dingtalk: list[str] = field(default_factory=list)
    wecom: list[str] = field(default_factory=list)
    webhook: list[str] = field(default_factory=list)
    mail: list[str] = field(default_factory=list)
    unsigned: int = 0
    http_port: int = 0
    smtp_port: int = 0

    def all(self) -> dict[str, list[str]]:
        return {"dingtalk": self.dingtalk, "wecom": self.wecom, "webhook": self.webhook, "mail": self.mail}


def _is_signed(path: str) -> bool:
    """True for the signature that 钉钉 requires: HMAC of time and secret under the secret."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    digest = hmac.digest(SECRET.encode(), f"{query.get('timestamp', '')}\n{SECRET}".encode(), hashlib.sha256)
    return query.get("sign") == base64.b64encode(digest).decode()


def _http(kept: Receivers) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body: dict[str, Any] = json.loads(text)
            if self.path.startswith("/robot/send"):
                kept.unsigned += not _is_signed(self.path)
                kept.dingtalk.append(f"{body['markdown']['title']}\n{body['markdown']['text']}")
            elif self.path.startswith("/cgi-bin/webhook/send"):
                kept.wecom.append(body["markdown"]["content"])
            else:
                kept.webhook.append(f"{body['version']} {body['status']} {text}")
            answer = b'{"errcode": 0, "errmsg": "ok"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _smtp(kept: Receivers) -> _Server:
    """SMTP as RFC 5321 defines it, without extensions."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 30

        def handle(self) -> None:
            self._say("220 receiver ESMTP")
            while line := self.rfile.readline(1000):
                command = line.split()[0].upper() if line.split() else b""
                if command == b"DATA":
                    self._say("354 go ahead")
                    self._keep()
                self._say("221 bye" if command == b"QUIT" else "250 ok")
                if command == b"QUIT":
                    return

        def _keep(self) -> None:
            lines = []
            while (line := self.rfile.readline(100_000)) not in {b".\r\n", b""}:
                lines.append(line[1:] if line.startswith(b".") else line)
            read = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            part = read.get_body(("plain",))
            assert part is not None
            kept.mail.append(f"{read['Subject']}\n{read['To']}\n{part.get_content()}")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return _Server(("127.0.0.1", 0), Handler)


@contextmanager
def receivers() -> Iterator[Receivers]:
    """Serve until the block ends."""
    kept = Receivers()
    with ExitStack() as stack:
        web, mail = _http(kept), _smtp(kept)
        for server in (web, mail):
            stack.callback(server.server_close)
            thread = threading.Thread(target=server.serve_forever, args=(0.1,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        kept.http_port, kept.smtp_port = web.server_port, mail.server_address[1]
        yield kept
