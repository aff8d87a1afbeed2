"""Column validation of any amount of texts by one stream, with several messages in flight."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast, overload

import grpc.aio
from google.protobuf.field_mask_pb2 import FieldMask
from grpc.aio import EOF

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client.call_options import time_left
from bossjy_client.connection import Connection, backoff_s, is_passing
from bossjy_client.errors import BossjyError, UnavailableError, from_rpc_error

BATCH_TEXTS = 5000
_IN_FLIGHT = 4
# Longest wait for the refusal of a stream whose status was lost before.
_REFUSAL_S = 0.5


@dataclass(frozen=True, slots=True)
class TextBatch(Sequence[str]):
    """Texts with the default region of each: as many regions as texts. An empty region means the stream's default.

    InvalidRequestError if one of them is no region.
    """

    texts: Sequence[str]
    regions: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.texts[index]


@dataclass(frozen=True, slots=True)
class ArrowBatch:
    """Texts as an Arrow IPC stream: column `phone_number` and, optionally, `default_region`."""

    ipc: bytes
    rows: int


Batch: TypeAlias = Sequence[str] | ArrowBatch
AnyBatch = TypeVar("AnyBatch", bound=Batch)


class ValidationStream(Generic[AnyBatch]):
    """One pass over batches of texts. After a broken connection, unanswered batches are sent again on a new one."""

    def __init__(
        self,
        connection: Connection,
        method: Callable[..., grpc.aio.StreamStreamCall[Any, Any]],
        *,
        region_code: str,
        columns: Sequence[str],
        language: str = "",
    ) -> None:
        self._connection = connection
        self._method = method
        self._region_code = region_code
        self._language = language
        self._mask = FieldMask(paths=columns)
        self._waiting: deque[AnyBatch] = deque()  # sent and not answered; at most _IN_FLIGHT
        self._more = True

    async def run(
        self, batches: AsyncIterator[AnyBatch]
    ) -> AsyncIterator[tuple[AnyBatch, pb.StreamValidateNumbersResponse]]:
        """Each batch of at most 10,000 texts with its columns, in their order. Raises BossjyError."""
        attempt = 0
        careful = False
        while True:
            metadata = await self._connection.metadata()
            call = self._method(metadata=metadata, timeout=time_left())
            try:
                async for answered in self._exchange(call, batches, careful=careful):
                    attempt = 0
                    yield answered
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, UnavailableError) as error:
                failure = await _failure(call, error)
            else:
                return
            finally:
                call.cancel()
            if await self._connection.renew_after(failure, metadata):
                continue
            attempt += 1
            if attempt >= self._connection.config.max_attempts or not is_passing(failure):
                raise self._connection.named(failure)
            careful = isinstance(failure, _HiddenStatus)
            await asyncio.sleep(backoff_s(attempt - 1, self._connection.config, failure.retry_after_s))

    async def _exchange(
        self, call: Any, batches: AsyncIterator[AnyBatch], *, careful: bool
    ) -> AsyncIterator[tuple[AnyBatch, pb.StreamValidateNumbersResponse]]:
        """Send and read on one connection, unanswered batches first.

        `careful`: until the first answer no write can cross a refusal and hide its status.
        """
        if careful:
            await _refused(call)
        sent, most = 0, 1 if careful else _IN_FLIGHT
        while True:
            while sent < most and (batch := await self._batch(sent, batches)) is not None:
                await call.write(self._request(batch))
                sent += 1
            if not sent:
                return
            answer = await _read(call)
            sent, most = sent - 1, _IN_FLIGHT
            yield self._waiting.popleft(), answer

    async def _batch(self, number: int, batches: AsyncIterator[AnyBatch]) -> AnyBatch | None:
        """The batch with this number of those that wait for answers, perhaps a new one; None if there is none."""
        if number == len(self._waiting) and self._more:
            following = await anext(batches, None)
            if following is None:
                self._more = False
            else:
                self._waiting.append(following)
        return self._waiting[number] if number < len(self._waiting) else None

    def _request(self, batch: Batch) -> pb.StreamValidateNumbersRequest:
        request = pb.StreamValidateNumbersRequest(
            region_code=self._region_code, language=self._language, read_mask=self._mask
        )
        if isinstance(batch, ArrowBatch):
            request.arrow_ipc = batch.ipc
        else:
            held = batch if isinstance(batch, TextBatch) else TextBatch(batch)
            request.texts.phone_numbers.extend(held.texts)
            request.texts.default_regions.extend(held.regions)
            request.texts.SetInParent()
        return request


class _HiddenStatus(UnavailableError):
    """gRPC lost the status of a stream: it crossed a write (grpc/grpc issue 36066)."""


async def _refused(call: Any) -> None:
    """Wait a moment for a server that refuses the stream before its first message. Raises its status."""
    status = asyncio.ensure_future(call.code())
    try:
        if (await asyncio.wait({status}, timeout=_REFUSAL_S))[0]:
            await call.read()
    finally:
        status.cancel()


async def _read(call: Any) -> pb.StreamValidateNumbersResponse:
    answer: Any = await call.read()
    if answer is EOF:
        raise UnavailableError("the server ended the stream before its end", code="UNAVAILABLE")
    return cast("pb.StreamValidateNumbersResponse", answer)


async def _failure(call: Any, error: Exception) -> BossjyError:
    """The error that ended the call. Its status says more than a failed write into the ended call."""
    if isinstance(error, asyncio.InvalidStateError):
        try:
            await call.read()
        except grpc.aio.AioRpcError as status:
            error = status
    failure = from_rpc_error(error) if isinstance(error, grpc.aio.AioRpcError) else error
    if isinstance(failure, BossjyError) and (failure.code != "INTERNAL" or failure.reason):
        return failure
    return _HiddenStatus("the stream ended early: run it again", code="UNAVAILABLE")
