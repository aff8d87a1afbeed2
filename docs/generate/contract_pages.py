"""Pages of the methods and of the reasons of errors, from the descriptors and comments of the contracts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contract_comments import comments_of
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from openapi import SERVICES
from page import code, flat, head, table

_METHODS = """\
Each method is defined in `protos/`; `docs/openapi.json` describes those with an HTTP binding. A method needs the scope
that is named, unless it is public (no credentials) or open to every authenticated caller. Its idempotency level is the
standard option of gRPC: `NO_SIDE_EFFECTS` changes nothing; `IDEMPOTENT` has the same effect once and several times;
with `IDEMPOTENCY_UNKNOWN` a repetition can repeat the effect. The client repeats calls of the first two levels
automatically."""
_ERRORS = """\
Every status other than OK has a `google.rpc.ErrorInfo` with the domain `bossjy` and one of these reasons; programs
branch on it. The message for people is in `Status.message`. The only statuses without a reason are those of gRPC."""
_ENUM = "bossjy.common.v1.ErrorReason"
_REASON = re.compile(
    r"(?P<codes>[A-Z_]+(?: or [A-Z_]+)*)\. (?P<meaning>.+?)"
    r" To do: (?P<remedy>.+?)(?: Metadata: (?P<metadata>.+))?"
)


class Contracts:
    """The contracts of one descriptor set, which must contain the comments of the source."""

    def __init__(self, descriptors: bytes) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._comments: dict[str, str] = {}
        for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
            self._pool.Add(file)
            self._comments.update(comments_of(file))
        # Of this descriptor set, so that no generated module is needed, which may be older than the contracts.
        self._options = message_factory.GetMessageClass(
            self._pool.FindMessageTypeByName("google.protobuf.MethodOptions")
        )

    def methods_page(self) -> str:
        """The page of the methods."""
        text = head("Methods", "protos/", _METHODS)
        for name in SERVICES:
            service = self._pool.FindServiceByName(name)
            first = self._comments[name].partition("\n\n")[0]
            text += f"\n## {service.name}\n\n`{name}`. {flat(first)}\n\n"
            columns = ("method", "request → response", "access", "HTTP", "idempotency", "meaning")
            text += table(columns, self._rows(service))
        return text

    def _rows(self, service: ServiceDescriptor) -> Iterator[tuple[str, ...]]:
        for method in service.methods:
            request = ("stream " if method.client_streaming else "") + method.input_type.name
            response = ("stream " if method.server_streaming else "") + method.output_type.name
            options: Any = self._options.FromString(method.GetOptions().SerializeToString())
            level = options.DESCRIPTOR.fields_by_name["idempotency_level"].enum_type
            yield (
                code(method.name),
                f"{code(request)} → {code(response)}",
                self._access(options),
                ", ".join(self._bindings(options)),
                code(level.values_by_number[options.idempotency_level].name),
                self._meaning(method),
            )

    def _meaning(self, method: MethodDescriptor) -> str:
        """The first paragraph of the method's comment."""
        return flat(self._comments[method.full_name].partition("\n\n")[0])

    def _access(self, options: Any) -> str:
        rule = options.Extensions[self._pool.FindExtensionByName("bossjy.common.v1.access")]
        if rule.public:
            return "public"
        return f"scope {code(rule.scope)}" if rule.scope else "authenticated"

    def _bindings(self, options: Any) -> Iterator[str]:
        rule = options.Extensions[self._pool.FindExtensionByName("google.api.http")]
        for one in (rule, *rule.additional_bindings):
            if verb := one.WhichOneof("pattern"):
                yield code(f"{verb.upper()} {getattr(one, verb)}")

    def errors_page(self) -> str:
        """The page of the reasons. Raises SystemExit for a reason without code, meaning or remedy."""
        text = head("Error reasons", "protos/bossjy/common/v1/error_reason.proto", _ERRORS) + "\n"
        columns = ("reason", "gRPC code", "meaning", "remedy", "metadata")
        return text + table(columns, sorted(self._reasons()))

    def _reasons(self) -> Iterator[tuple[str, ...]]:
        for value in self._pool.FindEnumTypeByName(_ENUM).values:
            if value.number == 0:
                continue
            comment = flat(self._comments.get(f"{_ENUM}.{value.name}", ""))
            read = _REASON.fullmatch(comment)
            if read is None:
                raise SystemExit(f"{value.name}: the comment must be `CODE. Meaning. To do: remedy. Metadata: names.`")
            yield (
                code(value.name.removeprefix("ERROR_REASON_")),
                " or ".join(map(code, read["codes"].split(" or "))),
                read["meaning"],
                read["remedy"],
                read["metadata"] or "",
            )
