"""What a process settles before it has threads; in a process of its own, for it changes the whole of one."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import pyarrow
from bossjy_server.process import share_fairly
share_fairly()
print(sys.getswitchinterval(), pyarrow.default_memory_pool().backend_name)
"""


def test_threads_let_go_soon_and_memory_is_the_systems() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.0005", "system"]
