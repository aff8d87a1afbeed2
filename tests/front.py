"""Front end of the servers that tests start: the default, or the one that `--front` names (`make test-front`)."""

from __future__ import annotations

import os

# Read by this module only; the server does not know it. Inherited by the processes of a parallel run.
VARIABLE = "TEST_BOSSJY_FRONT"


def front_settings() -> dict[str, str]:
    """The setting of a server under test."""
    return {"BOSSJY_FRONT": os.environ.get(VARIABLE, "aio")}
