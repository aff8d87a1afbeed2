"""Import a list of contacts, show its rejected rows, and find a contact of it."""

from __future__ import annotations

import os
import uuid

from bossjy.imports.v1 import import_pb2
from bossjy_client import SyncClient

LIST = b"""name,phone
Li,138 0014 4001
Wang,138 0014 4002
Zhao,not known
"""


def main() -> None:
    """Print the counts, each rejected row with its reason, and the number of contacts."""
    with SyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"]) as client:
        # Keep the id: the same id and the same bytes continue an interrupted upload, and never import a row twice.
        job = client.imports.upload_file(LIST, region="CN", request_id=str(uuid.uuid4()))
        print(job.counts.inserted, "inserted,", job.counts.rejected, "rejected")
        for row in client.imports.rejected_rows(job.import_id):
            print(f"line {row.line}: {row.original}: {import_pb2.RejectReason.Name(row.reason)}")
        print(client.contacts.get("+8613800144001").phone_number)
        print(client.contacts.count("region_code = CN"), "contacts in China")


if __name__ == "__main__":
    main()
