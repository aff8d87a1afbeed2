"""Generator of everything from protos/: packages `bossjy` and `buf` here, build/bossjy.binpb, docs/openapi.json.

python clients/python/generate.py            write them
python clients/python/generate.py --check    exit 1 if they differ from the existing files, and list the differences

The proto package is the Python path (`bossjy.phone.v1` becomes `bossjy/phone/v1/`), so no import is rewritten.
Stubs of google.api come with googleapis-common-protos. No package has those of buf.validate, so they are made
here. The descriptor set contains our contracts with all their imports, for gateways and for clients that cannot
use server reflection.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
import tomllib
from importlib import resources
from pathlib import Path

import google.rpc
from grpc_tools import protoc
from openapi import openapi

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "clients" / "python"
PACKAGES = ("bossjy", "buf")
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


def files_of(folder: Path) -> set[Path]:
    """The files of the generated packages in `folder`, without compiled ones, relative to it."""
    found = (path for package in PACKAGES for path in (folder / package).rglob("*") if path.is_file())
    return {path.relative_to(folder) for path in found if path.suffix != ".pyc"}


def differences(made: Path) -> list[str]:
    """The files of TARGET that differ from those in `made`, one line a file, sorted."""
    new, old = files_of(made), files_of(TARGET)
    changed = (path for path in new & old if not filecmp.cmp(made / path, TARGET / path, shallow=False))
    lines = [f"changed  {path}" for path in changed]
    lines += [f"missing  {path}" for path in new - old] + [f"stale    {path}" for path in old - new]
    return sorted(lines)


def install(made: Path) -> None:
    """Make TARGET equal to `made`; unchanged files are not touched."""
    new, old = files_of(made), files_of(TARGET)
    for path in old - new:
        (TARGET / path).unlink()
    for path in sorted(new):
        target = TARGET / path
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
        complete_packages(made)
        found = differences(made)
        text = document(made)
        if not OPENAPI.exists() or OPENAPI.read_text("utf-8") != text:
            found.append(f"changed  {OPENAPI.relative_to(ROOT)}")
        if check:
            print("\n".join(found) or "generated code matches protos/")
            return 1 if found else 0
        install(made)
        OPENAPI.write_text(text, "utf-8")
        print("\n".join(found) or "nothing changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
