"""The serialised messages of the benchmark: sending them costs the client almost nothing while it is measured."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from bossjy.phone.v1 import phone_service_pb2 as pb


def column_messages(texts: list[str], regions: list[str], rows: int) -> list[bytes]:
    """Requests of `rows` texts each in parallel columns, with a default region for each text, or without regions."""
    return [
        pb.StreamValidateNumbersRequest(
            texts=pb.NumberTexts(phone_numbers=texts[cut : cut + rows], default_regions=regions[cut : cut + rows])
        ).SerializeToString()
        for cut in range(0, len(texts), rows)
    ]


def arrow_messages(texts: list[str], regions: list[str], rows: int) -> list[bytes]:
    """The same as Arrow IPC; regions dictionary-encoded, as data frames store such a column."""
    messages = []
    for cut in range(0, len(texts), rows):
        columns: dict[str, pa.Array[Any]] = {"phone_number": pa.array(texts[cut : cut + rows])}
        if regions:
            columns["default_region"] = pa.array(regions[cut : cut + rows]).dictionary_encode()
        batch = pa.record_batch(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        messages.append(pb.StreamValidateNumbersRequest(arrow_ipc=sink.getvalue().to_pybytes()).SerializeToString())
    return messages
