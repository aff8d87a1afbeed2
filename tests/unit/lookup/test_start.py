"""A server without a provider does not pay for one."""

from __future__ import annotations

import subprocess
import sys


def test_the_http_client_is_not_loaded_with_the_service() -> None:
    program = "import sys, bossjy_server.app; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
