"""Server reflection: grpcurl and buf curl read the contracts with it. Off unless a setting turns it on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import cast

from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.internal.encoder import TagBytes
from google.protobuf.internal.wire_format import WIRETYPE_LENGTH_DELIMITED
from grpc_reflection.v1alpha import reflection_pb2

from bossjy_server.rpc.server import Router

_Request = reflection_pb2.ServerReflectionRequest
_Response = reflection_pb2.ServerReflectionResponse
_NOT_FOUND = 5  # google.rpc.Code.NOT_FOUND
# The generated code of the contracts leaves out their imports of options (clients/python/generate.py). The file of each
# option, and the option's tag in the wire form.
_OPTIONS: dict[bytes, FileDescriptor] = {
    TagBytes(annotations_pb2.http.number, WIRETYPE_LENGTH_DELIMITED): annotations_pb2.DESCRIPTOR,
    TagBytes(validate_pb2.field.number, WIRETYPE_LENGTH_DELIMITED): validate_pb2.DESCRIPTOR,
}
# The two versions of the service differ only by name.
_SERVED_AS = ("grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection")


class ReflectionServicer:
    """Describes the services in `names` and every message that they reach."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._pool = descriptor_pool.Default()

    async def ServerReflectionInfo(self, requests: AsyncIterator[_Request]) -> AsyncIterator[_Response]:
        """One response for each request."""
        async for request in requests:
            response = self._answer(request)
            response.valid_host = request.host
            response.original_request.CopyFrom(request)
            yield response

    def _answer(self, request: _Request) -> _Response:
        response = _Response()
        kind = request.WhichOneof("message_request")
        try:
            if kind == "list_services":
                for name in self._names:
                    response.list_services_response.service.add(name=name)
            elif kind == "file_by_filename":
                _fill(response, self._pool.FindFileByName(request.file_by_filename))
            elif kind == "file_containing_symbol":
                _fill(response, self._pool.FindFileContainingSymbol(request.file_containing_symbol))
            elif kind == "file_containing_extension":
                wanted = request.file_containing_extension
                extendee = self._pool.FindMessageTypeByName(wanted.containing_type)
                extension = self._pool.FindExtensionByNumber(extendee, wanted.extension_number)
                _fill(response, self._pool.FindFileContainingSymbol(extension.full_name))
            elif kind == "all_extension_numbers_of_type":
                extendee = self._pool.FindMessageTypeByName(request.all_extension_numbers_of_type)
                numbers = sorted(extension.number for extension in self._pool.FindAllExtensions(extendee))
                response.all_extension_numbers_response.base_type_name = extendee.full_name
                response.all_extension_numbers_response.extension_number.extend(numbers)
            else:
                response.error_response.error_code = 3  # INVALID_ARGUMENT
                response.error_response.error_message = "the request has no query"
        except KeyError:
            response.error_response.error_code = _NOT_FOUND
            response.error_response.error_message = "there is no such file, symbol or extension"
        return response


def _fill(response: _Response, file: FileDescriptor) -> None:
    """The file, and its imports with it: a client needs no second request."""
    seen: set[str] = set()

    def add(one: FileDescriptor) -> None:
        if one.name in seen:
            return
        seen.add(one.name)
        ours = one.name.startswith("bossjy/")
        options = [file for tag, file in _OPTIONS.items() if ours and tag in one.serialized_pb]
        for dependency in (*one.dependencies, *options):
            add(dependency)
        imports = descriptor_pb2.FileDescriptorProto(dependency=[file.name for file in options])
        # Messages in the wire form are merged by joining them.
        whole = one.serialized_pb + imports.SerializeToString()
        response.file_descriptor_response.file_descriptor_proto.append(whole)

    add(file)
    # The requested file comes first.
    files = response.file_descriptor_response.file_descriptor_proto
    ordered = list(files)
    del files[:]
    files.extend(reversed(ordered))


def add_reflection(router: Router) -> None:
    """Serve reflection under both of its names, for all services registered so far."""
    descriptor = cast("ServiceDescriptor", reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"])
    servicer = ReflectionServicer([*router.services, *_SERVED_AS])
    for name in _SERVED_AS:
        router.add_service(descriptor, servicer, served_as=name)
