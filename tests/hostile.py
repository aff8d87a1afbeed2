"""Messages of hostile callers: small on the wire, large when decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import phonenumbers
import pyarrow as pa

SIZE = 4 * 1024 * 1024 - 1024  # gRPC accepts 4 MiB


def ipc(batch: pa.RecordBatch, times: int = 1, compression: Any = None) -> bytes:
    """The batch as an Arrow IPC stream."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        for _ in range(times):
            writer.write_batch(batch)
    return out.getvalue().to_pybytes()


def column(array: Any, name: str = "phone_number") -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([array], names=[name])


def extensions(rows: int) -> list[str]:
    """Numbers with extensions."""
    return [f"+1 202 456 {number % 10_000:04d} ext. {number}" for number in range(rows)]


def contexts(rows: int) -> list[str]:
    """Numbers that are answered one by one, by `phonenumbers` itself."""
    return [f"tel:{2024560000 + number};phone-context=+1" for number in range(rows)]


def shared_text(length: int, rows: int = 100_000, text: pa.DataType | None = None) -> Any:
    """Rows that all point to one text."""
    values = pa.array(["3" * length], text or pa.large_string())
    indices: Any = pa.array(np.zeros(rows, np.int8))
    return pa.DictionaryArray.from_arrays(indices, values)


def views(length: int, rows: int, step: int = 0) -> Any:
    """Rows that are views of one text, each `step` bytes after the previous one."""
    data = pa.py_buffer(b"3" * (length + step * rows))
    held = np.zeros(rows, [("length", "<i4"), ("prefix", "S4"), ("buffer", "<i4"), ("offset", "<i4")])
    held["length"], held["prefix"], held["offset"] = length, b"3333", step * np.arange(rows)
    return pa.Array.from_buffers(pa.string_view(), rows, [None, pa.py_buffer(held), data])


def metadata_bomb(entries: int, text: int) -> bytes:
    """A schema whose metadata entries are all the same: Arrow makes `entries` texts of `text` bytes of them."""
    flat = _Flat()
    message = flat.table({0: struct.pack("<h", 4), 1: b"\x01", 2: b"", 3: bytes(8)})  # version 5, a schema
    flat.point(0, message[-1])
    schema = flat.table({1: b"", 2: b""})
    flat.point(message[2], schema[-1])
    flat.point(schema[1], flat.put(struct.pack("<I", 0)))
    vector = flat.put(struct.pack("<I", entries) + bytes(4 * entries))
    flat.point(schema[2], vector)
    entry = flat.table({0: b"", 1: b""})
    for number in range(entries):
        flat.point(vector + 4 + 4 * number, entry[-1])
    held = flat.put(struct.pack("<I", text) + b"k" * text + b"\0")
    flat.point(entry[0], held)
    flat.point(entry[1], held)
    flat.put(b"")
    return b"\xff\xff\xff\xff" + struct.pack("<i", len(flat.data)) + bytes(flat.data) + b"\xff\xff\xff\xff" + bytes(4)


class _Flat:
    """A flatbuffer: offsets point forward."""

    def __init__(self) -> None:
        self.data = bytearray(8)

    def put(self, raw: bytes) -> int:
        self.data += bytes(-len(self.data) % 8)
        place = len(self.data)
        self.data += raw
        return place

    def table(self, fields: dict[int, bytes]) -> dict[int, int]:
        """The position of each field, eight bytes for each, and of the table itself under -1."""
        count = max(fields) + 1
        sizes = [8 + 8 * list(fields).index(number) if number in fields else 0 for number in range(count)]
        vtable = self.put(struct.pack(f"<{2 + count}H", 4 + 2 * count, 8 + 8 * len(fields), *sizes))
        table = self.put(b"".join(value.ljust(8, b"\0") for value in (b"", *fields.values())))
        self.data[table : table + 4] = struct.pack("<i", table - vtable)
        return {-1: table} | {number: table + sizes[number] for number in fields}

    def point(self, place: int, target: int) -> None:
        self.data[place : place + 4] = struct.pack("<I", target - place)


def _many_regions(names: Sequence[str]) -> pa.RecordBatch:
    regions = pa.array([names[number % len(names)] for number in range(100_000)])
    return pa.RecordBatch.from_arrays([shared_text(1000), regions], names=["phone_number", "default_region"])


# By name: a function that makes an Arrow message; true if the server answers it, false if it answers ARROW_INVALID, or
# the reason of another refusal.
ARROW: dict[str, tuple[Callable[[], bytes], bool | str]] = {
    "one text of 2 KiB, compressed": (lambda: ipc(column(shared_text(2048)), compression="zstd"), False),
    "one text of 30 KB, compressed": (lambda: ipc(column(shared_text(30_000)), compression="lz4"), False),
    "one text of 3 MB": (lambda: ipc(column(shared_text(3_000_000))), True),
    "one text of 3 MB, as a view in a dictionary": (
        lambda: ipc(column(shared_text(3_000_000, text=pa.string_view()))),
        True,
    ),
    "views of one text of 2 MB": (lambda: ipc(column(views(2_000_000, 100_000))), True),
    "views of 1,000 bytes, each its own": (lambda: ipc(column(views(1000, 100_000, step=20))), True),
    "one text for many regions": (lambda: ipc(_many_regions(sorted(phonenumbers.SUPPORTED_REGIONS))), True),
    "one text for regions that do not exist": (
        lambda: ipc(_many_regions([f"{number:05d}" for number in range(100_000)])),
        "INVALID_FIELD",
    ),
    "numbers with extensions": (lambda: ipc(column(pa.array(extensions(100_000)))), True),
    "numbers with phone contexts": (lambda: ipc(column(pa.array(contexts(30_000)))), True),
    "columns of nulls": (lambda: ipc(column(pa.nulls(100_000))), False),
    "very many rows of nulls": (lambda: ipc(column(pa.nulls(2**40 // 1024))), False),
    "nulls in 1,900 columns": (
        lambda: ipc(
            pa.RecordBatch.from_arrays(
                [pa.array(["1"]), *[pa.nulls(1)] * 1900], names=["phone_number", *map(str, range(1900))]
            )
        ),
        True,
    ),
    "20,000 columns": (
        lambda: ipc(pa.RecordBatch.from_arrays([pa.nulls(1)] * 20_000, names=list(map(str, range(20_000))))),
        False,
    ),
    "20,000 record batches": (lambda: ipc(column(pa.array([], pa.string())), 20_000), False),
    "metadata that is all one": (lambda: metadata_bomb(50_000, 50_000), False),
    "run-end encoded": (
        lambda: ipc(column(pa.RunEndEncodedArray.from_arrays(pa.array([100_000], pa.int32()), pa.array(["1"])))),
        False,
    ),
    "nested": (lambda: ipc(column(pa.array([[["1"] * 1000]] * 700))), False),
}
