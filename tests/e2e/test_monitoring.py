"""Queries of monitoring/: every metric and label exists in a running service; the relay sends correct messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests import metrics
from tests.e2e.conftest import MakeServer, on_parts, register
from tests.ports import free_port

FOLDER = Path(__file__).parents[2] / "monitoring"
ALERTS = FOLDER / "prometheus" / "alerts.yml"
DASHBOARDS = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
# Labels that Prometheus itself adds.
ADDED = {"job", "instance"}
# Metrics that a server without TLS lacks; tests/unit/telemetry has a test of them.
WITH_TLS = {"bossjy_certificate_expiry_timestamp_seconds"}
_SELECTOR = re.compile(r"\b([a-z_:][a-zA-Z0-9_:]*)\{([^}]*)\}")
_NAME = re.compile(r"\b(?:bossjy|grpc_server|process|python)_[a-z_]+\b")
# Metrics of the exporters for host, PostgreSQL and Redis.
_EXPORTER = re.compile(r"\b(?:node|pg|redis)_[a-z]")
_MATCHER = re.compile(r'(\w+)\s*(=~|=|!=|!~)\s*"([^"]*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Question:
    """A query, and the labels in its legend."""

    query: str
    legend: str = ""


def alert_queries() -> list[Question]:
    files = [ALERTS, *(ALERTS.with_name(name) for name in ("operations.yml", "service.yml", "recorded.yml"))]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines() if "expr: " in line]
    return [Question(line.split("expr: ", 1)[1]) for line in lines if not _EXPORTER.search(line)]


def all_panels() -> list[dict[str, Any]]:
    return [panel for file in DASHBOARDS for panel in json.loads(file.read_text("utf-8"))["panels"]]


def dashboard_queries() -> list[Question]:
    targets = [target for panel in all_panels() for target in panel["targets"]]
    return [Question(one["expr"], one["legendFormat"]) for one in targets if not _EXPORTER.search(one["expr"])]


Samples = dict[str, list[dict[str, str]]]


@pytest.fixture
def samples(make_server: MakeServer, database_url: str, redis_url: str) -> Samples:
    """Name → label sets of all metrics of a service with two workers."""
    port = free_port()
    server = make_server(
        "serve", "--workers", "2", **(on_parts(database_url, redis_url) | {"BOSSJY_METRICS_PORT": str(port)})
    )
    server.start()
    entry = (("authorization", f"Bearer {register(server.target).token}"),)
    with grpc.insecure_channel(server.target) as channel:
        auth_service_pb2_grpc.AuthServiceStub(channel).GetMe(auth_service_pb2.GetMeRequest(), metadata=entry)
    found: Samples = defaultdict(list)
    for sample in metrics.samples(port):
        found[sample.name].append(sample.labels)
    return found


def missing(question: Question, samples: Samples) -> list[str]:
    """Metrics and labels that a query names but the service lacks."""
    wrong = [f"metric {name}" for name in _NAME.findall(question.query) if name not in {*samples, *WITH_TLS}]
    labels: set[str] = set()
    for name, matchers in _SELECTOR.findall(question.query):
        if name in {"up", *WITH_TLS}:
            continue
        has = samples.get(name, [])
        labels |= {label for one in has for label in one}
        for label, sign, value in _MATCHER.findall(matchers):
            if label in ADDED or value.startswith("$"):
                continue
            values = {one[label] for one in has if label in one}
            wanted = set(value.split("|")) if "~" in sign else {value}
            # A status that has not occurred yet has no sample.
            if not values or (sign in {"=", "=~"} and label != "grpc_code" and wanted - values):
                wrong.append(f"{name}{{{label}{sign}{value}}}")
    asked = {label.strip() for group in _BY.findall(question.query) for label in group.split(",")}
    if "bossjy:" in question.query:
        return wrong  # the rule makes the labels; tests/monitoring asks a real Prometheus
    asked |= set(_LEGEND.findall(question.legend))
    return wrong + [f"label {label}" for label in asked - labels - ADDED]


def test_every_metric_that_alerts_and_panels_name_is_in_a_running_service(samples: Samples) -> None:
    alerts, panels = alert_queries(), dashboard_queries()
    assert len(alerts) >= 10
    assert len(panels) >= 15
    wrong = {question.query: found for question in (*alerts, *panels) if (found := missing(question, samples))}
    assert not wrong
    # The search detects missing metrics.
    assert missing(Question('rate(bossjy_gone_total{job="bossjy"}[5m])'), samples)
    assert missing(Question('sum by (colour) (bossjy_tasks{job="bossjy"})'), samples)
    assert missing(Question('bossjy_part_up{part="oracle"}'), samples)
    # An alert on the first INTERNAL needs a sample of 0 before it.
    assert any(one["grpc_code"] == "INTERNAL" for one in samples["grpc_server_handled_total"])


def test_the_dashboards_are_what_their_program_makes(tmp_path: Path) -> None:
    copy = tmp_path / "grafana"
    shutil.copytree(FOLDER / "grafana", copy)
    command = [sys.executable, str(copy / "make_dashboards.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "run monitoring/grafana/make_dashboards.py"
    (copy / "dashboards" / "redis.json").write_text("{}", "utf-8")
    assert subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 1


def test_there_are_seven_dashboards() -> None:
    read = [json.loads(file.read_text("utf-8")) for file in DASHBOARDS]
    assert {one["uid"].removeprefix("bossjy-") for one in read} == {
        *("system", "application", "database", "redis", "methods", "imports", "tenants")
    }
    assert all(re.search("[\u4e00-\u9fff]", one["title"]) for one in read)


def test_every_panel_has_a_title_in_english_and_chinese() -> None:
    titles = [panel["title"] for panel in all_panels()]
    assert len(titles) == len(set(titles)) >= 50
    assert all(re.fullmatch(r"[ -~]+ · .*[\u4e00-\u9fff].*", title) for title in titles), titles


@dataclass
class Robot:
    """A group's robot on loopback: stores its requests, answers as configured."""

    errcode: int = 0
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def robot() -> Iterator[Robot]:
    kept = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.got.append((self.path, body))
            answer = json.dumps({"errcode": kept.errcode, "errmsg": "token=kept-apart"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def relay(robot: Robot, tmp_path: Path) -> Iterator[str]:
    """The address of a relay to two robots."""
    for name, line in {
        "dingtalk": f"http://127.0.0.1:{robot.port}/robot/send?access_token=kept-apart",
        "secret": "SECsigning",
        "wecom": f"http://127.0.0.1:{robot.port}/cgi-bin/webhook/send?key=kept-apart",
    }.items():
        (tmp_path / name).write_text(line + "\n", "utf-8")
    command = [sys.executable, str(FOLDER / "alertmanager" / "relay.py"), "--port", "0"]
    command += ["--dingtalk-url-file", str(tmp_path / "dingtalk"), "--dingtalk-secret-file", str(tmp_path / "secret")]
    command += ["--wecom-url-file", str(tmp_path / "wecom")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield "http://" + re.findall(r"127\.0\.0\.1:\d+", process.stdout.readline())[0]
        process.terminate()
        out, err = process.communicate(timeout=60)
        assert "kept-apart" not in out + err
        assert "Traceback" not in err


NOTICE = {
    "version": "4",
    "status": "firing",
    "commonLabels": {"alertname": "BossJyDown"},
    "alerts": [{"annotations": {"summary": "it is down", "summary_zh": "没有响应", "action": "start it again"}}] * 12,
}


def post(url: str, body: bytes) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, body, timeout=10) as answer:  # noqa: S310 - the relay on loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_alert_reaches_both_robots_signed_where_it_must(relay: str, robot: Robot) -> None:
    notice = json.dumps(NOTICE).encode()
    assert post(f"{relay}/dingtalk", notice) == (200, "sent\n")
    assert post(f"{relay}/wecom", notice) == (200, "sent\n")
    (dingtalk_path, dingtalk), (wecom_path, wecom) = robot.got
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(dingtalk_path).query))
    digest = hmac.digest(b"SECsigning", f"{query['timestamp']}\nSECsigning".encode(), hashlib.sha256)
    assert query["sign"] == base64.b64encode(digest).decode()
    assert query["access_token"] == "kept-apart"
    assert abs(int(query["timestamp"]) / 1000 - time.time()) < 60
    assert dingtalk["msgtype"] == wecom["msgtype"] == "markdown"
    assert dingtalk["markdown"]["title"] == "告警 BossJyDown (12)"
    assert dingtalk["markdown"]["text"] == wecom["markdown"]["content"]
    assert wecom["markdown"]["content"].count("没有响应") == 10
    assert "2 more" in wecom["markdown"]["content"]
    assert wecom_path == "/cgi-bin/webhook/send?key=kept-apart"


def test_invalid_alerts_and_refusals_of_robots_get_different_answers(relay: str, robot: Robot) -> None:
    for body in (b"", b"{", b"[]", b"{}", b'{"status": "firing", "alerts": 7, "commonLabels": {}}', b"\xff"):
        assert post(f"{relay}/wecom", body)[0] == 400, body
    assert post(f"{relay}/elsewhere", json.dumps(NOTICE).encode())[0] == 404
    assert not robot.got
    robot.errcode = 45009
    status, text = post(f"{relay}/wecom", json.dumps(NOTICE).encode())
    assert status == 502
    assert "45009" in text
    assert "kept-apart" not in text
