"""Fuzz calls to every method: `make fuzz-calls CALLS=100000`, and a tenth of it in tests/contract/test_fuzz.py.

Prints codes and reasons, writes build/figures/fuzz_calls.json, and ends with 1 if an answer is not documented or the
server's log has an INTERNAL. The same seed makes the same requests.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bossjy_server.errors import Reason
from bossjy_server.rpc.method import Method
from tests.contract.calls import METHODS, send
from tests.contract.messages import FILES, broken, fill, fill_one, unusual
from tests.contract.tenant import known_of
from tests.contract.values import Known, honest
from tests.measurements import write_figures
from tests.service import Service, serve

SEED = 20_261_122
AT_ONCE = 16
# For the thread that writes the log, on a busy machine.
_LOG_S = 60.0
# Codes that no request may get from a service whose dependencies are all available.
FORBIDDEN = {"HANG", "INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"}
# Each costs a password hash, so they get a smaller share; the throttle answers most of them.
DEAR = {"Register", "Login", "ChangePassword", "CreateUser", "ResetPassword"}


@dataclass
class Outcome:
    """Codes and reasons of all calls, and the undocumented ones."""

    codes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str, str, str]] = field(default_factory=list)


def is_list(method: Method) -> bool:
    """True if a method answers in pages or by a filter."""
    return bool({"page_token", "filter"} & set(method.request_class.DESCRIPTOR.fields_by_name))


def requests(count: int, rng: random.Random, known: Known) -> list[tuple[Method, list[bytes]]]:
    """Methods with the messages of one call each."""
    weights = [0.1 if method.name in DEAR else 2.0 if is_list(method) else 1.0 for method in METHODS]
    by_name = {method.name: method for method in METHODS}
    made = []
    for method in rng.choices(METHODS, weights, k=count):
        if known.pages and rng.random() < 0.03:
            name, raw = rng.choice(known.pages)
            made.append((by_name[name], [broken(raw, rng) if rng.random() < 0.5 else raw]))
            continue
        if method.name == "Upload" and rng.random() < 0.7:
            made.append((method, _upload(method, rng, known)))
            continue
        sent = rng.choice((1, 1, 2, 5)) if method.client_streaming else 1
        made.append((method, [_message(method, rng, known) for _ in range(sent)]))
    return made


def _upload(method: Method, rng: random.Random, known: Known) -> list[bytes]:
    """The messages of an upload in order; one of three is changed somewhere."""
    import_id, data = rng.choice(known.ids["open_import_id"]), rng.choice(FILES)
    cut = rng.randrange(1, len(data))
    parts: list[dict[str, Any]] = [
        {"open": {"import_id": import_id, "part": rng.choice((0, 0, 0, 1, 63))}},
        {"chunk": {"offset": 0, "data": data[:cut]}},
        {"chunk": {"offset": cut, "data": data[cut:]}},
        {"finish": {"size_bytes": len(data), "sha256": rng.randbytes(rng.choice((0, 31, 32)))}},
    ]
    messages = [method.request_class(**part) for part in parts]
    if rng.random() < 0.3:
        fill_one(rng.choice(messages), rng, known)
    return [message.SerializeToString() for message in messages]


def _message(method: Method, rng: random.Random, known: Known) -> bytes:
    message, other = method.request_class(), method.request_class()
    if rng.random() < 0.5:
        message = method.request_class(**honest(method.name, rng, known))
        for _ in range(rng.choice((0, 1, 1, 2))):
            fill_one(message, rng, known)
    else:
        fill(message, rng, known)
    raw, kind = message.SerializeToString(), rng.random()
    if kind < 0.1:
        return broken(raw, rng)
    if kind < 0.2:
        fill(other, rng, known)
        return unusual(raw, other.SerializeToString(), rng)
    return raw


async def run_calls(service: Service, count: int, seed: int) -> Outcome:
    """Make the calls, several at a time."""
    outcome, documented = Outcome(), {reason.value for reason in Reason}
    rng = random.Random(seed)
    known = await known_of(service)

    async def work(waiting: Any) -> None:
        for method, messages in waiting:
            code, reason = await send(service, method, messages)
            outcome.codes[code] += 1
            outcome.reasons[reason or code] += 1
            outcome.methods[method.name] += 1
            # The caller's own deadline ends a stream without an answer of the server.
            undocumented = code not in ("OK", "DEADLINE_EXCEEDED") and reason not in documented
            if code in FORBIDDEN or undocumented:
                outcome.faults.append((method.path, code, reason, messages[0][:200].hex()))

    while (left := count - outcome.codes.total()) > 0:
        waiting = iter(requests(min(left, 2_000), rng, known))  # not all requests in memory together
        await asyncio.gather(*(work(waiting) for _ in range(AT_ONCE)))
    ends = time.monotonic() + _LOG_S
    while codes_in_log(service).total() < count and time.monotonic() < ends:
        await asyncio.sleep(0.5)  # a thread writes the log
    return outcome


def codes_in_log(service: Service) -> Counter[str]:
    """The codes of all calls in the server's log."""
    logs = sorted((service.settings.process.data_dir / "logs").iterdir())
    return Counter(found for log in logs for found in re.findall(r'"event":"call",.*?"code":"(\w+)"', log.read_text()))


async def _program(count: int, seed: int) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bossjy-fuzz-") as folder:
        (Path(folder) / "server").mkdir()
        async with asynccontextmanager(serve)(
            "", "", Path(folder) / "server", BOSSJY_LOG_FILE_BYTES=str(2**30)
        ) as service:
            outcome = await run_calls(service, count, seed)
            logged = codes_in_log(service)
    internal = max(outcome.codes["INTERNAL"], logged["INTERNAL"])
    figures = {
        "calls": outcome.codes.total(),
        "seed": seed,
        "methods": len(outcome.methods),
        "ok": outcome.codes["OK"],
        "internal": internal,
        "internal_in_log": logged["INTERNAL"],
        "undocumented": len(outcome.faults),
        "seconds": round(time.monotonic() - started, 1),
    }
    rows: list[tuple[object, object]] = [("code or reason", "calls"), *outcome.codes.most_common()]
    write_figures("fuzz_calls", figures, rows=[*rows, *outcome.reasons.most_common(), *figures.items()])
    for fault in outcome.faults[:20]:
        print("not documented:", *fault)
    return 1 if internal or outcome.faults else 0


def main() -> int:
    """Run the program. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Fuzz calls to every method of a new service.")
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    return asyncio.run(_program(asked.calls, asked.seed))


if __name__ == "__main__":
    sys.exit(main())
