"""Program that runs `clean_batch` in processes that can import only NumPy, pyarrow and phonenumbers.

Prints the answers, and the other packages that were requested and rejected.
"""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.machinery import ModuleSpec
from types import ModuleType

ALLOWED = frozenset({"numpy", "pyarrow", "phonenumbers", "bossjy_numbering", "__mp_main__"}) | sys.stdlib_module_names


class Refusal:
    """The first of all finders; rejects modules other than ALLOWED."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds nothing: rejects a module, or leaves it to the next finder."""
        # The standard library imports `_sysconfigdata_` and the platform's name.
        if name.partition(".")[0] not in ALLOWED and not name.startswith("_sysconfigdata_"):
            raise ModuleNotFoundError(f"{name} is refused here", name=name)
        return None


def refuse_others() -> None:
    """Reject modules from now on, in this process."""
    sys.meta_path.insert(0, Refusal())


def answer(function: bytes, stream: bytes) -> bytes:
    """In a worker: a pickled function, a record batch as an Arrow stream, and the result as one."""
    import pyarrow as pa  # noqa: PLC0415  # not before other modules are rejected

    batch = pa.ipc.open_stream(stream).read_next_batch()
    answered = pickle.loads(function)(batch, region_column="region")  # noqa: S301  # our own bytes
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answered.schema) as writer:
        writer.write_batch(answered)
    return sink.getvalue().to_pybytes()


def main() -> None:
    """The program."""
    refuse_others()
    import pyarrow as pa  # noqa: PLC0415  # not before other modules are rejected

    from bossjy_numbering.arrow import clean_batch  # noqa: PLC0415  # not before other modules are rejected

    try:
        import google.protobuf  # noqa: F401, PLC0415  # installed, so that the rejection is tested
    except ModuleNotFoundError:
        print("refused")
    texts = ["138 0013 8000", "none", "+442079460018"]
    batch = pa.RecordBatch.from_pydict({"phone_number": texts, "region": ["CN"] * 3})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=refuse_others) as pool:
        returned = pool.submit(answer, pickle.dumps(clean_batch), sink.getvalue().to_pybytes()).result(timeout=60)
    answered = pa.ipc.open_stream(returned).read_next_batch()
    if not answered.equals(clean_batch(batch, region_column="region")):
        raise AssertionError("a worker answers otherwise")
    print(answered.column("e164").to_pylist())


if __name__ == "__main__":
    main()
