"""Front end of the servers that tests start: the default, or the one that `--front` names (`make test-front`)."""

from __future__ import annotations

import os

# Read by this module only; the server does not know it. Inherited by the processes of a parallel run.
VARIABLE = "TEST_BOSSJY_FRONT"


def front_settings() -> dict[str, str]:
    """The setting of a server under test."""
    return {"BOSSJY_FRONT": os.environ.get(VARIABLE, "aio")}


# Tests that the native front end does not pass, and why. `--front native` expects each to fail; a pass is reported.
NOT_NATIVE = {
    "tests/statements/test_34_transport.py::test_36_a_flood_of_pings_ends_the_connection": (
        "h2corn answers every ping and has no limit of them"
    ),
    "tests/statements/test_47_streams.py::test_48_an_unread_export_is_closed": (
        "h2corn takes 2 MiB of answers from a stream before its client reads any, so a shorter one is never unread"
    ),
    "tests/contract/test_fuzz.py::test_a_request_that_is_too_large_is_refused[8388609-ended2]": (
        "beyond 8 MiB the refusal has its reason as well, MESSAGE_TOO_LARGE; grpc.aio gives none"
    ),
    "tests/e2e/test_import_drain.py::test_an_upload_continues_at_another_replica": (
        "h2corn resets calls whose :authority has a comma, as that of a target with several addresses; a client that "
        "sets grpc.default_authority passes"
    ),
}
