"""Generator of `bossjy`, `buf`, build/bossjy.binpb and docs/openapi.json from protos/, and of the client's types.

python clients/python/generate.py            write them
python clients/python/generate.py --check    exit 1 if they differ from the existing files, and list the differences

The proto package is the Python path (`bossjy.phone.v1` becomes `bossjy/phone/v1/`), so no import is rewritten.
Stubs of google.api come with googleapis-common-protos. No package has those of buf.validate, so they are made
for the server. The descriptor set contains our contracts with all their imports, for gateways and for clients that
cannot use server reflection.
"""

from __future__ import annotations

import argparse
import ast
import filecmp
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import resources
from pathlib import Path

import google.rpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_tools import protoc
from openapi import openapi

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "clients" / "python"
# Packages and their folders. `buf` has buf/validate/validate_pb2, the rules that only the server reads.
PACKAGES = {"bossjy": TARGET, "buf": ROOT / "server"}
# Contracts with nothing but options. Options stay in a descriptor without them; a program that imports these modules
# reads them. The client needs neither, nor the packages that have them in versions of their own.
OF_OPTIONS = re.compile(r"buf/validate/|google/api/")
# The oldest grpcio that the stubs work with: `make prove-client` installs it.
OLDEST_GRPC = "1.71.0"
DESCRIPTORS = ROOT / "build" / "bossjy.binpb"
OPENAPI = ROOT / "docs" / "openapi.json"
VENDORED = ROOT / "protos" / "vendor"
INIT = '"""Generated from the contracts in protos/. Do not edit: `make generate` makes it again."""\n'


def compile_protos(out: Path, descriptors: Path) -> None:
    """Compile every contract into `out`. Raises SystemExit if protoc rejects one; protoc prints the reason."""
    protos = ROOT / "protos"
    contracts = sorted(str(path.relative_to(protos)) for path in (protos / "bossjy").rglob("*.proto"))
    services = [path for path in contracts if path.endswith("_service.proto")]
    search = [f"-I{protos}", f"-I{VENDORED}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    tools = Path(sys.executable).parent
    plugins = [f"--plugin={tools / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    to_python = [f"--python_out={out}", f"--mypy_out=quiet:{out}"]
    to_grpc = [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}"]
    run_protoc([*search, *plugins, *to_python, "buf/validate/validate.proto", *contracts])
    run_protoc([*search, *plugins, *to_grpc, *services])
    # No contract imports the details of errors; a gateway needs them to show errors as JSON.
    details = [f"-I{folder.parent.parent}" for folder in map(Path, google.rpc.__path__)]
    run_protoc(
        [
            *search,
            *details,
            "--include_imports",
            f"--descriptor_set_out={descriptors}",
            *contracts,
            "google/rpc/error_details.proto",
        ]
    )


def loosen(out: Path) -> None:
    """Let the generated code of `bossjy` run on other versions of protobuf and gRPC, and without the options' modules.

    protoc lets it run only on its own version and newer ones; nothing in it needs that.
    """
    for path in (out / "bossjy").rglob("*_pb2*.py"):
        text = path.read_text()
        text = re.sub(r"from google\.protobuf import runtime_version .*\n", "", text)
        text = re.sub(r"_runtime_version\.ValidateProtobufRuntimeVersion\((?:.*\n)*?\)\n", "", text)
        text = re.sub(r"# Protobuf Python Version: .*\n", "", text)
        text = re.sub(r"from (?:buf\.validate|google\.api) import .*\n", "", text)
        text = re.sub(r"GRPC_GENERATED_VERSION = '.*'", f"GRPC_GENERATED_VERSION = '{OLDEST_GRPC}'", text)
        if found := re.search(r"AddSerializedFile\((b'.*')\)\n", text):
            whole = ast.literal_eval(found[1])
            part = without_options(whole)
            text = text.replace(found[1], repr(part))
            text = moved(text.replace(found[1], repr(part)), len(whole) - len(part))
        path.write_text(text)


def moved(text: str, removed: int) -> str:
    """Generated code whose positions in the descriptor, for protobuf in pure Python, are lower."""
    return re.sub(r"(_serialized_(?:start|end)=)(\d+)", lambda one: f"{one[1]}{int(one[2]) - removed}", text)


def without_options(descriptor: bytes) -> bytes:
    """A serialised file descriptor without its imports of options. They precede all that has a position."""
    for name in FileDescriptorProto.FromString(descriptor).dependency:
        if OF_OPTIONS.match(name):
            descriptor = descriptor.replace(b"\x1a" + bytes([len(name)]) + name.encode(), b"", 1)
    return descriptor


def document(folder: Path) -> str:
    """The OpenAPI document of the contracts, with their comments, which build/bossjy.binpb leaves out."""
    release = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]["version"]
    return openapi(described(folder), release)


def described(folder: Path) -> bytes:
    """The descriptor set of the contracts with their comments."""
    protos, target = ROOT / "protos", folder / "described.binpb"
    contracts = sorted(str(path.relative_to(protos)) for path in (protos / "bossjy").rglob("*.proto"))
    search = [f"-I{protos}", f"-I{VENDORED}", f"-I{resources.files('grpc_tools') / '_proto'}"]
    run_protoc([*search, "--include_imports", "--include_source_info", f"--descriptor_set_out={target}", *contracts])
    return target.read_bytes()


def run_protoc(arguments: list[str]) -> None:
    """Run protoc. Raises SystemExit if it fails; protoc prints the reason."""
    if protoc.main(["protoc", *arguments]) != 0:
        raise SystemExit("generate: protoc rejected a contract, see above")


def complete_packages(out: Path) -> None:
    """Make packages of the generated folders, and mark them as typed (PEP 561)."""
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (out / package).rglob("*.py")} | {out / package}):
            for made in (folder, *folder.parents):
                if made == out:
                    break
                (made / "__init__.py").write_text(INIT)
        (out / package / "py.typed").touch()


def client_types(*options: str) -> list[str]:
    """Make the types of the clients, in a process that imports the new stubs. Returns the changed files."""
    done = subprocess.run(
        [sys.executable, TARGET / "client_types.py", *options], capture_output=True, text=True, check=False
    )
    if done.returncode and not done.stdout:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()


def files_of(folder: Path) -> set[Path]:
    """The files of the generated packages in `folder`, without compiled ones, relative to it."""
    found = (path for package in PACKAGES for path in (folder / package).rglob("*") if path.is_file())
    return {path.relative_to(folder) for path in found if path.suffix != ".pyc"}


def installed() -> dict[Path, Path]:
    """The existing generated files, by their path in a folder of all packages."""
    return {
        path.relative_to(folder): path
        for package, folder in PACKAGES.items()
        for path in (folder / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def target_of(path: Path) -> Path:
    """The place of a generated file."""
    return PACKAGES[path.parts[0]] / path


def differences(made: Path) -> list[str]:
    """The existing files that differ from those in `made`, one line a file, sorted."""
    new, old = files_of(made), set(installed())
    changed = (path for path in new & old if not filecmp.cmp(made / path, target_of(path), shallow=False))
    lines = [f"changed  {path}" for path in changed]
    lines += [f"missing  {path}" for path in new - old] + [f"stale    {path}" for path in old - new]
    return sorted(lines)


def install(made: Path) -> None:
    """Make the existing files equal to `made`; unchanged files are not touched."""
    new, old = files_of(made), installed()
    for path in old.keys() - new:
        old[path].unlink()
    for path in sorted(new):
        target = target_of(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path not in old or not filecmp.cmp(made / path, target, shallow=False):
            (made / path).replace(target)


def main() -> int:
    """Generate, or compare with the existing files. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Make the Python stubs from protos/.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something would change")
    check = parser.parse_args().check
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        made = Path(folder)
        compile_protos(made, DESCRIPTORS)
        loosen(made)
        complete_packages(made)
        found = differences(made)
        text = document(made)
        if not OPENAPI.exists() or OPENAPI.read_text("utf-8") != text:
            found.append(f"changed  {OPENAPI.relative_to(ROOT)}")
        if check:
            found += client_types("--check")
            print("\n".join(found) or "generated code matches protos/")
            return 1 if found else 0
        install(made)
        OPENAPI.write_text(text, "utf-8")
        found += client_types()
        print("\n".join(found) or "nothing changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
