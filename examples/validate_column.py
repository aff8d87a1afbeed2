"""Check a whole column of a pandas frame, and keep the mobile numbers of China."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

from bossjy_client import SyncClient


def main() -> None:
    """Print the customers whose number is a Chinese mobile number."""
    customers: Any = pd.DataFrame(
        {"name": ["Li", "Wang", "Smith", "Zhao"], "phone": ["138 0014 4001", "010 6552 9988", "+1 201 555 0123", None]}
    )
    with SyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"]) as client:
        result = client.phone.validate_column(customers["phone"], region="CN")
    checked = customers.join(result)
    mobile = checked[(checked["region"] == "CN") & (checked["type"] == "MOBILE")]
    print(mobile[["name", "e164"]].to_string(index=False))


if __name__ == "__main__":
    main()
