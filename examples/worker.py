"""Use one client in each process of a worker that forks, such as Celery or a web server, and in all its threads."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bossjy_client import SyncClient

_client: SyncClient | None = None


def connect() -> None:
    """Runs once in each process, after the fork. In Celery: a receiver of the signal `worker_process_init`."""
    global _client  # noqa: PLW0603 - one for the process
    _client = SyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"])


def task(text: str) -> str:
    """One task of the worker."""
    if _client is None:
        raise RuntimeError("connect was not called")
    return _client.phone.validate(text, "CN").e164


def main() -> None:
    """Print the answers of two processes."""
    with ProcessPoolExecutor(2, mp_context=get_context("fork"), initializer=connect) as workers:
        print(*workers.map(task, ["138 0014 4001", "138 0014 4002"]))


if __name__ == "__main__":
    main()
