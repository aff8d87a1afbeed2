"""The package `bossjy` needs grpcio and protobuf only; the libraries of its extras are named where they are missing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import google_crc32c
import pytest
from packaging.requirements import Requirement

from bossjy_client.checksum import crc32c, python_crc32c
from bossjy_client.extras import EXTRAS, missing_extra

PACKAGE = Path(__file__).resolve().parents[3] / "clients" / "python"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]

# A Python in which nothing but the package, grpcio and protobuf is installed.
PROGRAM = """
import sys
ALLOWED = sys.stdlib_module_names | {"bossjy", "bossjy_client", "grpc", "google", "typing_extensions"}
class Bare:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        # Files of the folder site-packages itself, such as those that link our own packages.
        known = top in ALLOWED or top.startswith("__editable__") or top == "_virtualenv"
        if not known or name.startswith(("google.rpc", "google.api")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Bare())
"""
IMPORTS = """
import importlib, pkgutil, bossjy, bossjy_client
for package in (bossjy, bossjy_client):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith("bossjy_client.cli.") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
from bossjy.phone.v1 import phone_service_pb2 as pb
assert pb.ValidateNumberRequest.FromString(pb.ValidateNumberRequest(phone_number="1").SerializeToString()).phone_number
assert not any(one.name.startswith(("buf/", "google/api")) for one in pb.DESCRIPTOR.dependencies)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"buf", "numpy", "pyarrow", "rich"}))
"""
EXTRA = """
import asyncio
from bossjy_client import AsyncClient, BossjyError, ClientConfig
from bossjy_client.connection import Connection
class Column:
    def __arrow_c_stream__(self): pass
async def main():
    client = AsyncClient(Connection("127.0.0.1:1", ClientConfig()))
    for act in (client.imports.upload_file(sys.argv[1]), client.phone.validate_column(Column())):
        try:
            await act
        except BossjyError as error:
            print(type(error).__name__, error)
    await client.close()
asyncio.run(main())
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM + program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_grpcio_and_protobuf_are_the_only_dependencies() -> None:
    assert {Requirement(text).name for text in PROJECT["dependencies"]} == {"grpcio", "protobuf"}
    assert set(PROJECT["optional-dependencies"]) == set(EXTRAS.values())


def test_the_metadata_is_complete() -> None:
    assert {"description", "readme", "license", "classifiers", "urls", "keywords"} <= PROJECT.keys()
    readme = (PACKAGE / PROJECT["readme"]).read_text("utf-8")
    assert all(f"bossjy[{extra}]" in readme for extra in PROJECT["optional-dependencies"])


def test_all_modules_are_imported_without_other_packages() -> None:
    done = run(IMPORTS)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_generated_code_fits_the_stated_versions() -> None:
    """protoc lets its code run on its own version and newer ones; the generator removes that, and states ours."""
    oldest = {Requirement(text).name: Requirement(text).specifier for text in PROJECT["dependencies"]}["grpcio"]
    for path in (PACKAGE / "bossjy").rglob("*_pb2*.py"):
        text = path.read_text("utf-8")
        assert "runtime_version" not in text
        if path.stem.endswith("_grpc"):
            assert f"GRPC_GENERATED_VERSION = '{str(oldest).removeprefix('>=')}.0'" in text


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    parquet = tmp_path / "list.parquet"
    parquet.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    done = run(EXTRA, str(parquet))
    line = "MissingExtraError this needs pyarrow: pip install 'bossjy[tables]'"
    assert (done.stdout.splitlines(), done.stderr) == ([line, line], "")


def test_the_tool_names_its_extra() -> None:
    terminal = "sys.stdin.isatty = sys.stdout.isatty = lambda: True\n"
    done = run(f"from bossjy_client.cli import main\n{terminal}sys.exit(main(['import', '--mode', 'interactive']))")
    assert (done.returncode, done.stderr) == (1, "bossjy: this needs rich: pip install 'bossjy[cli]'\n")


def test_another_missing_module_is_no_extra() -> None:
    assert missing_extra(ModuleNotFoundError("No module named 'yaml'", name="yaml")) is None
    assert missing_extra(ValueError()) is None


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 100, 511, 512, 513, 1000, 4097, 100_000, 524_288])
def test_the_checksum_without_a_library_is_the_same(size: int) -> None:
    data = (b"%d bytes, " % size * (size // 8 + 1))[:size]
    assert python_crc32c(data) == google_crc32c.value(data) == crc32c(data)
