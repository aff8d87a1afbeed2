"""Generator of docs/openapi.json, the OpenAPI 3 document of the JSON gateway, from the descriptors of the contracts.

It describes what deploy/gateway/envoy.yaml makes of the contracts: field names of the contract, `int64` as text,
`bytes` as base64, one JSON object per line for a server stream, and google.rpc.Status for an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from contract_comments import comments_of
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor

SERVICES = (
    "bossjy.phone.v1.PhoneService",
    "bossjy.auth.v1.AuthService",
    "bossjy.contacts.v1.ContactService",
    "bossjy.imports.v1.ImportService",
)
# Messages of a query within messages; they can contain themselves.
_DEEPEST = 3
Schema = dict[str, Any]

_TEXT_64 = {"type": "string", "format": "int64"}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT64: _TEXT_64,
    FieldDescriptor.TYPE_SINT64: _TEXT_64,
    FieldDescriptor.TYPE_SFIXED64: _TEXT_64,
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
    FieldDescriptor.TYPE_FIXED64: {"type": "string", "format": "uint64"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SINT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_SFIXED32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    FieldDescriptor.TYPE_FIXED32: {"type": "integer", "format": "int64", "minimum": 0},
}
_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "description": "Paths of fields, separated by commas."},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
}
_WRAPPERS = re.compile(r"google\.protobuf\.(Bool|String|Bytes|Double|Float|U?Int(32|64))Value")
_STATUS: Schema = {
    "type": "object",
    "description": "google.rpc.Status. One of the details is a google.rpc.ErrorInfo with a `reason` of the contract.",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "integer", "format": "int32", "description": "Code of gRPC."},
        "message": {"type": "string"},
        "details": {"type": "array", "items": _KNOWN["google.protobuf.Any"]},
    },
}


class Document:
    """The document of one descriptor set, which must contain the source's comments."""

    def __init__(self, descriptors: bytes, version: str) -> None:
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        self._pool = descriptor_pool.DescriptorPool()
        self._comments: dict[str, str] = {}
        for file in files.file:
            self._pool.Add(file)
            self._comments.update(comments_of(file))
        # Of this descriptor set, so that no generated module is needed, which may be older than the contracts.
        self._options = message_factory.GetMessageClass(
            self._pool.FindMessageTypeByName("google.protobuf.MethodOptions")
        )
        self._schemas: dict[str, Schema] = {"google.rpc.Status": _STATUS}
        self._version = version

    def made(self) -> Schema:
        """The document."""
        paths: dict[str, Schema] = {}
        tags = []
        for name in SERVICES:
            service = self._pool.FindServiceByName(name)
            tags.append({"name": service.name, "description": self._comments.get(name, "")})
            for method in service.methods:
                for verb, path, body in self._bindings(method):
                    paths.setdefault(_plain(path), {})[verb] = self._operation(method, path, body)
        return {
            "openapi": "3.0.3",
            "info": {
                "title": "BossJy",
                "version": self._version,
                "description": "JSON over HTTP, as deploy/gateway offers it. Bidirectional streams need gRPC.",
            },
            "servers": [{"url": "https://localhost:18443", "description": "The gateway of deploy/gateway."}],
            "tags": tags,
            "security": [{"bearer": []}],
            "paths": dict(sorted(paths.items())),
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key."}
                },
                "responses": {
                    "Error": {
                        "description": "Refused or failed: the HTTP status of the gRPC code.",
                        "content": {"application/json": {"schema": _reference("google.rpc.Status")}},
                    }
                },
                "schemas": dict(sorted(self._schemas.items())),
            },
        }

    def _option(self, method: MethodDescriptor, name: str) -> Any:
        """An option of a method, by the name of its extension."""
        options = self._options.FromString(method.GetOptions().SerializeToString())
        return options.Extensions[self._pool.FindExtensionByName(name)]

    def _bindings(self, method: MethodDescriptor) -> Iterator[tuple[str, str, str]]:
        """Verb, path and body of each HTTP rule of a method."""
        rule = self._option(method, "google.api.http")
        for each in (rule, *rule.additional_bindings):
            if verb := each.WhichOneof("pattern"):
                yield verb, getattr(each, verb), each.body

    def _operation(self, method: MethodDescriptor, path: str, body: str) -> Schema:
        """One method at one path."""
        request = method.input_type
        in_path = re.findall(r"{([\w.]+)", path)
        parameters = [self._parameter(request, name, "path") for name in in_path]
        operation: Schema = {
            "operationId": f"{method.containing_service.name}.{method.name}",
            "tags": [method.containing_service.name],
            "description": self._comments.get(method.full_name, ""),
        }
        if body != "*":
            skipped = {*in_path, body}
            parameters += [self._parameter(request, name, "query") for name in _query_fields(request, skipped)]
        if parameters:
            operation["parameters"] = parameters
        if body:
            schema = self._of_message(request) if body == "*" else self._of_field(request.fields_by_name[body])
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        answer = self._of_message(method.output_type)
        about = "The answer."
        if method.server_streaming:  # with the content type that the gateway sends
            about = "A stream as newline-delimited JSON: each line is an object of this schema."
            operation["x-stream"] = "ndjson"
        operation["responses"] = {
            "200": {"description": about, "content": {"application/json": {"schema": answer}}},
            "default": {"$ref": "#/components/responses/Error"},
        }
        rule = self._option(method, "bossjy.common.v1.access")
        if rule.public:
            operation["security"] = []
        elif rule.scope:
            operation["x-scope"] = rule.scope
        return operation

    def _parameter(self, message: Descriptor, name: str, place: str) -> Schema:
        """A field of the request, also of a message in it, as a parameter."""
        field = None
        for part in name.split("."):
            field = message.fields_by_name[part]
            message = field.message_type
        assert field is not None  # noqa: S101 - a name has a part
        schema = self._of_field(field)
        about = schema.pop("description", "") if "$ref" not in schema else self._comments.get(field.full_name, "")
        shown = name.rpartition(".")[2] if place == "path" else name
        parameter: Schema = {"name": shown, "in": place, "schema": schema}
        if about:
            parameter["description"] = about
        if place == "path":
            parameter["required"] = True
        return parameter

    def _of_message(self, message: Descriptor) -> Schema:
        """The schema of a message, or a reference to it."""
        name = message.full_name
        if name in _KNOWN:
            return dict(_KNOWN[name])
        if _WRAPPERS.fullmatch(name):
            return dict(_SCALARS[message.fields_by_name["value"].type], nullable=True)
        if name not in self._schemas:
            schema: Schema = {"type": "object"}
            self._schemas[name] = schema  # first, because messages can contain themselves
            if about := self._comments.get(name):
                schema["description"] = about
            if message.fields:
                schema["properties"] = {field.name: self._of_field(field) for field in message.fields}
        return _reference(name)

    def _of_field(self, field: FieldDescriptor) -> Schema:
        """The schema of a field."""
        about = self._comments.get(field.full_name, "")
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            schema: Schema = {
                "type": "object",
                "additionalProperties": self._of_one(field.message_type.fields_by_name["value"]),
            }
        elif field.is_repeated:
            schema = {"type": "array", "items": self._of_one(field)}
        else:
            schema = self._of_one(field)
        if about and "$ref" in schema:
            return {"allOf": [schema], "description": about}  # OpenAPI 3.0 ignores everything beside a reference
        return schema | {"description": about} if about else schema

    def _of_one(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self._of_message(field.message_type)
        if field.enum_type is not None:
            return self._of_enum(field.enum_type)
        return dict(_SCALARS[field.type])

    def _of_enum(self, enum: EnumDescriptor) -> Schema:
        if enum.full_name not in self._schemas:
            lines = [self._comments.get(enum.full_name, "")]
            for value in enum.values:
                about = self._comments.get(f"{enum.full_name}.{value.name}", "")
                lines.append(f"- `{value.name}`: {about}" if about else f"- `{value.name}`")
            names = [value.name for value in enum.values]
            self._schemas[enum.full_name] = {"type": "string", "enum": names, "description": "\n".join(lines).strip()}
        return _reference(enum.full_name)


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _plain(path: str) -> str:
    """A path with the last names of its variables, and without their patterns.

    Two paths that differ only in the names of their variables are one path in OpenAPI: {user_id} and {user.user_id}.
    """
    return re.sub(r"{(?:\w+\.)*(\w+)(?:=[^}]*)?}", r"{\1}", path)


def _query_fields(message: Descriptor, skipped: set[str], prefix: str = "") -> Iterator[str]:
    """The fields that a query can have: scalars, lists of them, and those of messages, by their dotted names."""
    for field in message.fields:
        name = prefix + field.name
        inner = field.message_type
        if name in skipped:
            continue
        if inner is None or inner.full_name in _KNOWN or _WRAPPERS.fullmatch(inner.full_name):
            yield name
        elif not field.is_repeated and name.count(".") < _DEEPEST:
            yield from _query_fields(inner, skipped, f"{name}.")


def openapi(descriptors: bytes, version: str) -> str:
    """The text of the document, from a descriptor set with comments."""
    return json.dumps(Document(descriptors, version).made(), indent=1, ensure_ascii=False) + "\n"
