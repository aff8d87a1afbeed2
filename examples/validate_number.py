"""Check one number, and find out why another one is refused."""

from __future__ import annotations

import os

from bossjy_client import BossjyError, SyncClient


def main() -> None:
    """Print the number in its standard form, then the reason and the corrections of a wrong one."""
    with SyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"]) as client:
        try:
            answer = client.phone.validate("138 0014 4001", "CN", timeout=5)
        except BossjyError as error:
            raise SystemExit(f"{error} (request {error.request_id})") from error
        print(answer.valid, answer.e164, answer.region_code)

        explained = client.phone.explain("138 0014 40011", "CN")
        print(explained.explanation)


if __name__ == "__main__":
    main()
