"""Reflection under both of its names: the requests of grpcurl and buf curl."""

from __future__ import annotations

from collections.abc import AsyncIterator

from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

from bossjy_server.rpc.reflection import ReflectionServicer, add_reflection
from bossjy_server.rpc.server import Router
from tests.unit.rpc.conftest import PHONE


async def ask(*requests: pb.ServerReflectionRequest) -> list[pb.ServerReflectionResponse]:
    async def stream() -> AsyncIterator[pb.ServerReflectionRequest]:
        for request in requests:
            yield request

    return [answer async for answer in ReflectionServicer([PHONE.full_name]).ServerReflectionInfo(stream())]


def files(answer: pb.ServerReflectionResponse) -> list[str]:
    return [
        descriptor_pb2.FileDescriptorProto.FromString(raw).name
        for raw in answer.file_descriptor_response.file_descriptor_proto
    ]


async def test_services_files_symbols_and_extensions() -> None:
    listed, by_name, by_symbol, extension, numbers = await ask(
        pb.ServerReflectionRequest(host="h", list_services=""),
        pb.ServerReflectionRequest(file_by_filename="bossjy/phone/v1/number.proto"),
        pb.ServerReflectionRequest(file_containing_symbol=PHONE.full_name),
        pb.ServerReflectionRequest(
            file_containing_extension=pb.ExtensionRequest(
                containing_type="google.protobuf.MethodOptions", extension_number=58001
            )
        ),
        pb.ServerReflectionRequest(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
    )
    assert [one.name for one in listed.list_services_response.service] == [PHONE.full_name]
    assert (listed.valid_host, listed.original_request.host) == ("h", "h")
    assert files(by_name) == ["bossjy/phone/v1/number.proto"]
    assert files(by_symbol)[0] == "bossjy/phone/v1/phone_service.proto"
    assert "google/api/annotations.proto" in files(by_symbol)
    assert files(extension)[0] == "bossjy/common/v1/access.proto"
    assert 58001 in numbers.all_extension_numbers_response.extension_number


async def test_missing_names_are_reported() -> None:
    answers = await ask(
        pb.ServerReflectionRequest(file_by_filename="no.proto"),
        pb.ServerReflectionRequest(file_containing_symbol="no.Symbol"),
        pb.ServerReflectionRequest(all_extension_numbers_of_type="no.Type"),
        pb.ServerReflectionRequest(),
    )
    assert [answer.error_response.error_code for answer in answers] == [5, 5, 5, 3]


def test_both_names_are_served() -> None:
    router = Router([])
    router.add_service(PHONE, object())
    add_reflection(router)
    assert router.services == [
        PHONE.full_name,
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]
