"""A tenant with an example of everything that can be listed."""

from __future__ import annotations

from typing import Any

import asyncpg

from bossjy.auth.v1 import auth_service_pb2
from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.rpc.method import Method
from tests.contract.calls import METHODS, send
from tests.contract.values import Known
from tests.service import EMAIL, PASSWORD, Service


async def known_of(service: Service) -> Known:
    """Add an example of everything that can be listed. Returns the ids, and a real page token of each list."""
    known = Known()
    by_name = {method.name: method for method in METHODS}
    for turn in range(3):
        rows = "".join(f"+4420794600{number},n{turn}\n" for number in range(40, 46)) + "bad,x\nworse,y\n"
        rows += "+442079460040,again\n+442079460041,again\n"
        made = await _call(service, by_name["CreateImport"], import_service_pb2.CreateImportResponse)
        await _upload(service, made.import_job.import_id, b"phone,name\n" + rows.encode())
        known.ids.setdefault("import_id", []).append(made.import_job.import_id)
    specs: list[dict[str, Any]] = [
        {},
        {"default_region": "GB", "part_count": 64, "source": {"columns": ["phone", "name"]}},
        {"source": {"header": 2, "columns": ["phone", "a", "b"]}},
        {"source": {"format": 3}, "language": "zh", "enrich": True},
        {"source": {"format": 4}},
        {"source": {"compression": 2}},
        {"source": {"compression": 3}},
        {"source": {"encoding": "utf-16le", "delimiter": ";", "quote": "'"}},
    ]
    for spec in specs:
        made = await _call(service, by_name["CreateImport"], import_service_pb2.CreateImportResponse, spec=spec)
        known.ids.setdefault("open_import_id", []).append(made.import_job.import_id)
    await _call(
        service, by_name["RevertImport"], import_service_pb2.RevertImportResponse, import_id=known.ids["import_id"][0]
    )
    await _add_conflicts(service, known.ids["import_id"][0])
    login = {"tenant_id": service.tenant_id, "email": EMAIL, "password": PASSWORD}
    await _call(service, by_name["Login"], auth_service_pb2.LoginResponse, **login)
    for number in range(3):
        user = await _call(
            service,
            by_name["CreateUser"],
            auth_service_pb2.CreateUserResponse,
            email=f"user{number}@example.org",
            role=1 + number % 3,
        )
        known.ids.setdefault("user_id", []).append(user.user.user_id)
        key = await _call(
            service,
            by_name["CreateApiKey"],
            auth_service_pb2.CreateApiKeyResponse,
            display_name="k",
            scopes=["phone.read"],
        )
        known.ids.setdefault("api_key_id", []).append(key.api_key.api_key_id)
        known.ids.setdefault("token", []).append(key.secret)
    known.ids["parent_import_id"] = known.ids["import_id"]
    known.ids["tenant_id"] = [service.tenant_id]
    known.ids["request_id"] = ["r1", "r2", "r3"]  # reused across methods
    for method in METHODS:
        await _read_pages(service, method, known)
    return known


async def _read_pages(service: Service, method: Method, known: Known) -> None:
    request: Any = method.request_class()
    if "page_size" not in method.request_class.DESCRIPTOR.fields_by_name:
        return
    request.page_size = 1
    if hasattr(request, "import_id"):
        # The first import was reverted: it has changed nothing.
        request.import_id = known.ids["import_id"][2 if method.name == "ListChangedContacts" else 0]
    channel: Any = service.channel
    raw = await channel.unary_unary(method.path)(request.SerializeToString(), metadata=service.metadata)
    modules = (auth_service_pb2, contact_service_pb2, import_service_pb2, phone_service_pb2)
    response = next(getattr(one, f"{method.name}Response") for one in modules if hasattr(one, f"{method.name}Response"))
    request.page_token = response.FromString(raw).next_page_token
    if request.page_token:
        known.tokens.append(request.page_token)
        known.pages.append((method.name, request.SerializeToString()))


async def _call(service: Service, method: Method, response: Any, **fields: Any) -> Any:
    channel: Any = service.channel
    raw = method.request_class(**fields).SerializeToString()
    return response.FromString(await channel.unary_unary(method.path)(raw, metadata=service.metadata))


async def _upload(service: Service, import_id: str, data: bytes) -> None:
    pb = import_service_pb2
    messages = [
        pb.UploadRequest(open=pb.UploadOpen(import_id=import_id)),
        pb.UploadRequest(chunk=pb.UploadChunk(data=data)),
        pb.UploadRequest(finish=pb.UploadFinish(size_bytes=len(data))),
    ]
    method = next(one for one in METHODS if one.name == "Upload")
    assert await send(service, method, [one.SerializeToString() for one in messages]) == ("OK", "")


async def _add_conflicts(service: Service, import_id: str) -> None:
    """As an earlier release left them; this one leaves none."""
    owner = await asyncpg.connect(service.owner_url)
    try:
        await owner.execute(
            "INSERT INTO bossjy.revert_conflicts (tenant_id, import_id, e164, update_time) "
            "SELECT $1, $2, '+4420794600' || n, now() FROM generate_series(40, 45) n",
            service.tenant_id,
            import_id,
        )
    finally:
        await owner.close()
