"""The programs of examples/ on the real service, and their text in docs/python.md."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service import Service

ROOT = Path(__file__).resolve().parents[3]
PRINTED = {
    "channel_settings": "1 call measured\n",
    "import_list": """2 inserted, 1 rejected
line 4: not known: REJECT_REASON_NOT_A_NUMBER
+8613800144001
2 contacts in China
""",
    "lake_to_contacts": """6 rows in the lake, 3 accepted
part-0.parquet: 2 rows, 2 inserted, 0 rejected
part-1.parquet: 1 rows, 1 inserted, 0 rejected
the counts agree
""",
    "many_at_once": "200 valid\n",
    "validate_column": "name           e164\n  Li +8613800144001\n",
    "validate_number": """True +8613800144001 CN
Its length is right, but its region has no such number. No number of the plan continues after digit 12 (1) of the \
national number.
""",
    "worker": "+8613800144001 +8613800144002\n",
}


def test_every_example_is_run() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == PRINTED.keys()


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("name", PRINTED)
async def test_an_example(tenant: Service, name: str) -> None:
    environment = os.environ | {"BOSSJY_TARGET": tenant.address, "BOSSJY_TOKEN": tenant.token}
    command = [sys.executable, "-W", "error::DeprecationWarning", str(ROOT / "examples" / f"{name}.py")]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, PRINTED[name]), done.stderr


@pytest.mark.parametrize("name", PRINTED)
def test_the_document_has_the_example(name: str) -> None:
    document = (ROOT / "docs" / "python.md").read_text("utf-8")
    source = (ROOT / "examples" / f"{name}.py").read_text("utf-8")
    shown = re.search(rf"<!-- examples/{name}\.py -->\n\n```python\n(.*?)```\n", document, re.DOTALL)
    assert shown is not None
    assert shown[1] == source
