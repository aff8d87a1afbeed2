"""Methods and their access rules, read from the descriptors of the contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from bossjy.common.v1 import access_pb2, request_pb2
from bossjy_server.errors import StartError


@dataclass(frozen=True, slots=True)
class Access:
    """Access rule: anybody (`public`), or callers with valid credentials and, if set, `scope`."""

    public: bool = False
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of one service, as defined by its contract."""

    path: str  # /bossjy.phone.v1.PhoneService/ValidateNumber
    service: str
    name: str
    request_class: type[Message]
    client_streaming: bool
    server_streaming: bool
    access: Access
    # Extracts from the bytes of a streamed request the parts that its servicer reads faster than protobuf. Returns the
    # other bytes and the extracted value. The servicer gets both, as (message, value). If None, it gets messages.
    split: Callable[[bytes], tuple[bytes, Any]] | None = None
    any_text: bool = False  # true if texts of its requests may contain U+0000
    # False for the method that answers for all unknown methods: its request is not read.
    known: bool = True

    @property
    def grpc_type(self) -> str:
        """The kind of call, with the name that gRPC's metrics use."""
        if self.client_streaming:
            return "bidi_stream" if self.server_streaming else "client_stream"
        return "server_stream" if self.server_streaming else "unary"


# Access rules of foreign services, whose contracts cannot contain the option.
FOREIGN_ACCESS = {
    "grpc.health.v1.Health": Access(public=True),
    "grpc.reflection.v1alpha.ServerReflection": Access(public=True),
    "grpc.reflection.v1.ServerReflection": Access(public=True),
}


def methods_of(service: ServiceDescriptor, served_as: str = "") -> Iterator[Method]:
    """The methods of a service. Raises StartError for one without an access rule.

    `served_as` gives the service another name, for contracts that differ only by name.
    """
    name = served_as or service.full_name
    for method in service.methods:
        yield Method(
            path=f"/{name}/{method.name}",
            service=name,
            name=method.name,
            request_class=GetMessageClass(method.input_type),
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            access=FOREIGN_ACCESS.get(name) or _access_of(method),
            any_text=service.GetOptions().Extensions[request_pb2.any_text],
        )


def _access_of(method: MethodDescriptor) -> Access:
    rule: access_pb2.AccessRule = method.GetOptions().Extensions[access_pb2.access]
    kind = rule.WhichOneof("rule")
    if kind == "scope" and rule.scope:
        return Access(scope=rule.scope)
    if kind == "public" and rule.public:
        return Access(public=True)
    if kind == "authenticated" and rule.authenticated:
        return Access()
    raise StartError(
        f"{method.full_name} states no access rule: add `option (bossjy.common.v1.access)` to it in protos/ "
        "and run `make generate`"
    )
