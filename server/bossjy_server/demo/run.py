"""Run of the demonstration."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bossjy.imports.v1 import import_pb2
from bossjy_client import BossjyError, Client, ClientConfig, UploadProgress
from bossjy_client.cli.importing.progress import UploadBar
from bossjy_server.app import running
from bossjy_server.config import Settings
from bossjy_server.demo import report
from bossjy_server.demo.expected import expect, imported
from bossjy_server.demo.tenant import Demo, DemoFolder, enter, with_api_key
from bossjy_server.errors import StartError

# A small window, so that the file is committed in several steps: the bar moves, and an interrupted import can continue
# from a step. A real client sends as much as the server's window permits.
_CONFIG = ClientConfig(chunk_bytes=32 * 1024, window_bytes=128 * 1024)


def demo_file() -> Path:
    """The file to import. Raises StartError outside a checkout."""
    path = Path(__file__).parents[3] / "deploy" / "demo" / "contacts.csv"
    if not path.is_file():
        raise StartError(f"{path} is missing: start the demonstration from a complete checkout")
    return path


async def run_demo(settings: Settings, *, once: bool, stop: asyncio.Event) -> int:
    """Start everything, import the file, show the result and sample calls. Serve until `stop`, or end if `once`.

    Returns 0 if the counts and the contacts are exactly those of the independent model, else 1. Raises StartError with
    one line if the service or the demonstration cannot start.
    """
    path = demo_file()
    expecting = asyncio.create_task(asyncio.to_thread(expect, path))
    console = Console(highlight=False, soft_wrap=True)
    # Reflection lets grpcurl read the contracts; the log of each call would appear between the output lines.
    quiet = "warning" if settings.log.console == "info" else settings.log.console
    settings = replace(
        settings, server=replace(settings.server, reflection=True), log=replace(settings.log, console=quiet)
    )
    console.print("BossJy starts: PostgreSQL, Redis, the service …")
    async with running(settings) as served:
        async with await Client.connect(_reachable(served.address), config=_CONFIG) as client:
            folder = DemoFolder(settings.process.data_dir / "demo")
            try:
                demo = await _enter(client, folder, served.registration_token, console)
                job = await _import(client, folder, demo, path, console)
                found = await imported(client, job)
            except BossjyError as error:
                console.print(f"The demonstration failed: {error}", markup=False)
                return 1
        expected = await expecting
        differences = expected.differences(job, found)
        report.show_result(console, job, expected, differences)
        report.show_calls(console, _reachable(served.address), folder.token)
        if not once:
            console.print(f"\nServing at {served.address}. Ctrl-C ends it.", markup=False)
            await stop.wait()
    return 1 if differences else 0


def _reachable(address: str) -> str:
    """An address to which a client of this machine can connect: not `0.0.0.0`."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else address  # noqa: S104 (compared, not bound)


async def _enter(client: Client, folder: DemoFolder, registration_token: str | None, console: Console) -> Demo:
    demo, made = await enter(client, folder, registration_token)
    demo = await with_api_key(client, demo)
    await asyncio.to_thread(folder.save, demo)
    if made:
        report.show_credentials(console, demo, folder)
    else:
        console.print(f"Logged in as {demo.email} of {demo.tenant_id}, made at an earlier start.", markup=False)
    return demo


async def _import(client: Client, folder: DemoFolder, demo: Demo, path: Path, console: Console) -> import_pb2.Import:
    """Import the file through the service's gRPC API. An interrupted import continues, an ended one is shown."""
    digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
    if digest not in demo.requests:
        demo = replace(demo, requests={**demo.requests, digest: str(uuid.uuid4())})
        # Saved before use: after an interruption the next start continues instead of beginning again.
        await asyncio.to_thread(folder.save, demo)
    spec = import_pb2.ImportSpec(display_name="Demonstration", default_region="CN")
    told = 0
    with UploadBar(console, path.name, show=True) as bar:

        def show(progress: UploadProgress) -> None:
            nonlocal told
            bar.update(progress)
            if not console.is_terminal and progress.counts.rows_in != told:
                told = progress.counts.rows_in
                console.print(f"{told:,} rows committed")

        return await client.imports.upload_file(path, spec, request_id=demo.requests[digest], on_progress=show)
