"""What a process settles before it has threads; in a process of its own, for it changes the whole of one."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
import pyarrow
from bossjy_server.process import share_fairly
share_fairly()
pyarrow.array(["a"])
print(sys.getswitchinterval(), pyarrow.default_memory_pool().backend_name, "pandas" in sys.modules)
import pandas
"""


def test_threads_let_go_soon_and_memory_is_the_systems() -> None:
    """Arrow alone would load pandas, which the test's environment has; others can still load it."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.0005", "system", "False"]
