"""Table of the JSON paths: REST by the contracts' HTTP annotations, and `/package.Service/Method` for each method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from google.api import annotations_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from bossjy_server.rpc.call import Concern, Proceed, Route, compose
from bossjy_server.rpc.method import Method

_FIELD = re.compile(r"\{([\w.]+)\}")


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to call a method by JSON."""

    method: Method
    proceed: Proceed
    reply_class: type[Message]
    body: str  # `*`: the body is the request; a field: it is that field; empty: there is none
    fields: tuple[str, ...] = ()  # of the request, in the order of the path
    connect: bool = False  # errors have Connect's form; else that of google.rpc.Status


class Table:
    """All bindings, by verb and path."""

    def __init__(self, routes: Mapping[str, Route], concerns: list[Concern]) -> None:
        """`concerns`: the chain of JSON calls."""
        self._exact: dict[tuple[str, str], Binding] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], Binding]]] = {}
        for route in routes.values():
            described = _descriptor(route.method)
            if described is None:
                continue
            proceed = compose(route.method, concerns, route.innermost)
            reply_class = GetMessageClass(described.output_type)
            own = Binding(route.method, proceed, reply_class, "*", connect=True)
            self._exact["POST", route.method.path] = own
            for verb, path, body in _rules(described):
                fields = tuple(_FIELD.findall(path))
                binding = Binding(route.method, proceed, reply_class, body, fields)
                if fields:
                    self._patterns.setdefault(verb, []).append((_pattern(path), binding))
                else:
                    self._exact[verb, path] = binding

    def find(self, verb: str, path: str) -> tuple[Binding, dict[str, str]] | None:
        """The binding of a path as it was sent, and the values of its fields."""
        exact = self._exact.get((verb, path))
        if exact is not None:
            return exact, {}
        for pattern, binding in self._patterns.get(verb, ()):
            found = pattern.fullmatch(path)
            if found is not None:
                return binding, dict(zip(binding.fields, map(unquote, found.groups()), strict=True))
        return None


def _descriptor(method: Method) -> MethodDescriptor | None:
    """The descriptor of a method; None for a service that is served under another name."""
    try:
        return descriptor_pool.Default().FindServiceByName(method.service).methods_by_name[method.name]
    except KeyError:
        return None


def _rules(described: MethodDescriptor) -> Iterable[tuple[str, str, str]]:
    rule: Any = described.GetOptions().Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb is not None:
            yield verb.upper(), getattr(one, verb), one.body


def _pattern(path: str) -> re.Pattern[str]:
    """The expression of a path with fields. A field ends at `/` and at `:`, which begins the custom verb."""
    texts = _FIELD.split(path)
    return re.compile("".join("([^/:]+)" if index % 2 else re.escape(text) for index, text in enumerate(texts)))
