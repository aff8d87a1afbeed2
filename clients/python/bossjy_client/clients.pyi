# Made by `make generate` from the methods of AsyncClient. Do not edit.
# ruff: noqa: A002, ASYNC109

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from bossjy.auth.v1 import account_pb2, auth_service_pb2
from bossjy.contacts.v1 import contact_pb2, contact_service_pb2
from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy.phone.v1 import number_pb2, phone_service_pb2, plan_pb2, region_pb2
from bossjy_client import client as _client
from bossjy_client.auth import AuthClient as AuthClient
from bossjy_client.config import ClientConfig
from bossjy_client.contacts import ContactClient as ContactClient
from bossjy_client.imports import ImportClient as ImportClient
from bossjy_client.opening import Uploadable
from bossjy_client.phone import PhoneClient as PhoneClient
from bossjy_client.read_options import ReadOptions
from bossjy_client.sources import Source
from bossjy_client.tenant import TenantClient as TenantClient
from bossjy_client.tokens import SessionTokens, TokenSource
from bossjy_client.upload import OnProgress
from bossjy_client.users import UserClient as UserClient

CallMetadata: TypeAlias = Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]]

class AsyncAuthClient(AuthClient):
    async def begin_second_factor(
        self,
        password: str,
        *,
        totp_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.BeginSecondFactorResponse: ...
    async def change_password(
        self,
        current_password: str,
        new_password: str,
        *,
        end_other_sessions: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    async def confirm_second_factor(
        self, totp_code: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[str]: ...
    async def create_api_key(
        self,
        display_name: str,
        scopes: Sequence[str],
        *,
        expire_time_s: float | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.CreateApiKeyResponse: ...
    async def holds(
        self, token: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> bool: ...
    async def introspect(
        self, token: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.IntrospectTokenResponse: ...
    async def jwks(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[account_pb2.Jwk]: ...
    async def list_api_keys(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[account_pb2.ApiKey]: ...
    def list_sessions(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> AsyncIterator[account_pb2.Session]: ...
    async def login(
        self,
        tenant_id: str,
        email: str,
        password: str,
        *,
        totp_code: str = ...,
        device_name: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.LoginResponse: ...
    async def logout(
        self,
        *,
        all_sessions: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    async def me(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.GetMeResponse: ...
    async def refresh(
        self,
        tokens: SessionTokens,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> SessionTokens: ...
    async def register(
        self,
        tenant_display_name: str,
        email: str,
        password: str,
        *,
        display_name: str = ...,
        registration_token: str = ...,
        device_name: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.RegisterResponse: ...
    async def remove_second_factor(
        self,
        password: str,
        *,
        totp_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    async def revoke_api_key(
        self,
        api_key_id: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    async def revoke_session(
        self,
        session_id: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    async def update_me(
        self,
        *,
        display_name: str | None = ...,
        language: str | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.User: ...

class SyncAuthClient:
    def begin_second_factor(
        self,
        password: str,
        *,
        totp_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.BeginSecondFactorResponse: ...
    def change_password(
        self,
        current_password: str,
        new_password: str,
        *,
        end_other_sessions: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    def confirm_second_factor(
        self, totp_code: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[str]: ...
    def create_api_key(
        self,
        display_name: str,
        scopes: Sequence[str],
        *,
        expire_time_s: float | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.CreateApiKeyResponse: ...
    def holds(
        self, token: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> bool: ...
    def introspect(
        self, token: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.IntrospectTokenResponse: ...
    def jwks(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[account_pb2.Jwk]: ...
    def list_api_keys(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> list[account_pb2.ApiKey]: ...
    def list_sessions(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> Iterator[account_pb2.Session]: ...
    def login(
        self,
        tenant_id: str,
        email: str,
        password: str,
        *,
        totp_code: str = ...,
        device_name: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.LoginResponse: ...
    def logout(
        self,
        *,
        all_sessions: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    def me(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.GetMeResponse: ...
    def refresh(
        self,
        tokens: SessionTokens,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> SessionTokens: ...
    def register(
        self,
        tenant_display_name: str,
        email: str,
        password: str,
        *,
        display_name: str = ...,
        registration_token: str = ...,
        device_name: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> auth_service_pb2.RegisterResponse: ...
    def remove_second_factor(
        self,
        password: str,
        *,
        totp_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    def revoke_api_key(
        self,
        api_key_id: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    def revoke_session(
        self,
        session_id: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    def update_me(
        self,
        *,
        display_name: str | None = ...,
        language: str | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.User: ...

class AsyncUserClient(UserClient):
    async def create(
        self,
        email: str,
        role: account_pb2.Role.ValueType,
        *,
        display_name: str = ...,
        password: str = ...,
        request_id: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> auth_service_pb2.CreateUserResponse: ...
    async def delete(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> int: ...
    async def disable(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.DisableUserResponse: ...
    async def enable(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.User: ...
    async def get(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.User: ...
    def list(
        self,
        filter: str = ...,
        *,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[account_pb2.User]: ...
    async def remove_second_factor(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.RemoveUserSecondFactorResponse: ...
    async def reset_password(
        self,
        user_id: str,
        *,
        keep_api_keys: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> str: ...
    async def update(
        self,
        user_id: str,
        *,
        display_name: str | None = ...,
        language: str | None = ...,
        role: account_pb2.Role.ValueType | None = ...,
        etag: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.User: ...

class SyncUserClient:
    def create(
        self,
        email: str,
        role: account_pb2.Role.ValueType,
        *,
        display_name: str = ...,
        password: str = ...,
        request_id: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> auth_service_pb2.CreateUserResponse: ...
    def delete(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> int: ...
    def disable(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.DisableUserResponse: ...
    def enable(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.User: ...
    def get(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.User: ...
    def list(
        self,
        filter: str = ...,
        *,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[account_pb2.User]: ...
    def remove_second_factor(
        self, user_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> auth_service_pb2.RemoveUserSecondFactorResponse: ...
    def reset_password(
        self,
        user_id: str,
        *,
        keep_api_keys: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> str: ...
    def update(
        self,
        user_id: str,
        *,
        display_name: str | None = ...,
        language: str | None = ...,
        role: account_pb2.Role.ValueType | None = ...,
        etag: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.User: ...

class AsyncTenantClient(TenantClient):
    def audit_events(
        self,
        filter: str = ...,
        *,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[account_pb2.AuditEvent]: ...
    async def get(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.Tenant: ...
    async def update(
        self,
        *,
        display_name: str | None = ...,
        default_region: str | None = ...,
        second_factor_required: bool | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.Tenant: ...

class SyncTenantClient:
    def audit_events(
        self,
        filter: str = ...,
        *,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[account_pb2.AuditEvent]: ...
    def get(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> account_pb2.Tenant: ...
    def update(
        self,
        *,
        display_name: str | None = ...,
        default_region: str | None = ...,
        second_factor_required: bool | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> account_pb2.Tenant: ...

class AsyncPhoneClient(PhoneClient):
    async def diff_plans(
        self,
        from_version: str,
        to_version: str = ...,
        *,
        region_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.DiffNumberingPlansResponse: ...
    async def explain(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.ExplainNumberResponse: ...
    async def find(
        self,
        text: str,
        default_region: str = ...,
        *,
        leniency: number_pb2.FindLeniency.ValueType = ...,
        max_results: int = ...,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FindNumbersResponse: ...
    async def find_regions(
        self,
        phone_number: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Sequence[phone_service_pb2.NumberReading]: ...
    async def format(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        calling_from_region: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FormatNumberResponse: ...
    async def format_partial(
        self,
        phone_number: str,
        region_code: str = ...,
        *,
        cursor: int | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FormatPartialNumberResponse: ...
    async def lookup(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.LookupNumberResponse: ...
    async def match(
        self,
        first: str,
        second: str,
        *,
        first_region: str = ...,
        second_region: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> number_pb2.MatchType.ValueType: ...
    async def plan(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> plan_pb2.NumberingPlan: ...
    async def region(
        self,
        region_code: str,
        *,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> region_pb2.Region: ...
    def regions(
        self,
        *,
        calling_code: int = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[region_pb2.Region]: ...
    async def short_number(
        self,
        phone_number: str,
        region_code: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> number_pb2.ShortNumber: ...
    async def validate(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.ValidateNumberResponse: ...
    async def validate_column(
        self,
        column: Any,
        region: str | Any = ...,
        *,
        columns: Sequence[str] = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Any: ...
    def validate_many(
        self,
        phone_numbers: Sequence[str],
        default_region: str = ...,
        *,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[phone_service_pb2.ValidateNumberResponse]: ...
    def validate_stream(
        self,
        batches: AsyncIterator[Sequence[str]],
        default_region: str = ...,
        *,
        columns: Sequence[str] = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[tuple[Sequence[str], phone_service_pb2.StreamValidateNumbersResponse]]: ...

class SyncPhoneClient:
    def diff_plans(
        self,
        from_version: str,
        to_version: str = ...,
        *,
        region_code: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.DiffNumberingPlansResponse: ...
    def explain(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.ExplainNumberResponse: ...
    def find(
        self,
        text: str,
        default_region: str = ...,
        *,
        leniency: number_pb2.FindLeniency.ValueType = ...,
        max_results: int = ...,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FindNumbersResponse: ...
    def find_regions(
        self,
        phone_number: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Sequence[phone_service_pb2.NumberReading]: ...
    def format(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        calling_from_region: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FormatNumberResponse: ...
    def format_partial(
        self,
        phone_number: str,
        region_code: str = ...,
        *,
        cursor: int | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.FormatPartialNumberResponse: ...
    def lookup(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.LookupNumberResponse: ...
    def match(
        self,
        first: str,
        second: str,
        *,
        first_region: str = ...,
        second_region: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> number_pb2.MatchType.ValueType: ...
    def plan(
        self, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> plan_pb2.NumberingPlan: ...
    def region(
        self,
        region_code: str,
        *,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> region_pb2.Region: ...
    def regions(
        self,
        *,
        calling_code: int = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[region_pb2.Region]: ...
    def short_number(
        self,
        phone_number: str,
        region_code: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> number_pb2.ShortNumber: ...
    def validate(
        self,
        phone_number: str,
        default_region: str = ...,
        *,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> phone_service_pb2.ValidateNumberResponse: ...
    def validate_column(
        self,
        column: Any,
        region: str | Any = ...,
        *,
        columns: Sequence[str] = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Any: ...
    def validate_many(
        self,
        phone_numbers: Sequence[str],
        default_region: str = ...,
        *,
        full: bool = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[phone_service_pb2.ValidateNumberResponse]: ...
    def validate_stream(
        self,
        batches: Iterable[Sequence[str]],
        default_region: str = ...,
        *,
        columns: Sequence[str] = ...,
        language: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[tuple[Sequence[str], phone_service_pb2.StreamValidateNumbersResponse]]: ...

class AsyncContactClient(ContactClient):
    async def count(
        self,
        filter: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    async def delete(
        self,
        phone_number: str,
        *,
        etag: str = ...,
        allow_missing: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    async def erase(
        self,
        phone_numbers: Sequence[str],
        *,
        purpose: str = ...,
        request_id: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> contact_service_pb2.EraseContactsResponse: ...
    def export(
        self,
        filter: str = ...,
        *,
        format: contact_pb2.ExportFormat.ValueType = ...,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[contact_service_pb2.ExportContactsResponse]: ...
    async def get(
        self,
        phone_number: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> contact_pb2.Contact: ...
    def list(
        self,
        filter: str = ...,
        *,
        order_by: str = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[contact_pb2.Contact]: ...
    async def stats(
        self,
        filter: str = ...,
        *,
        dimensions: Sequence[contact_pb2.StatsDimension.ValueType] = ...,
        bucket_limit: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> contact_service_pb2.GetContactStatsResponse: ...

class SyncContactClient:
    def count(
        self,
        filter: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> int: ...
    def delete(
        self,
        phone_number: str,
        *,
        etag: str = ...,
        allow_missing: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> None: ...
    def erase(
        self,
        phone_numbers: Sequence[str],
        *,
        purpose: str = ...,
        request_id: str = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> contact_service_pb2.EraseContactsResponse: ...
    def export(
        self,
        filter: str = ...,
        *,
        format: contact_pb2.ExportFormat.ValueType = ...,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[contact_service_pb2.ExportContactsResponse]: ...
    def get(
        self,
        phone_number: str,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> contact_pb2.Contact: ...
    def list(
        self,
        filter: str = ...,
        *,
        order_by: str = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[contact_pb2.Contact]: ...
    def stats(
        self,
        filter: str = ...,
        *,
        dimensions: Sequence[contact_pb2.StatsDimension.ValueType] = ...,
        bucket_limit: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> contact_service_pb2.GetContactStatsResponse: ...

class AsyncImportClient(ImportClient):
    async def cancel(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> import_pb2.Import: ...
    def changed_contacts(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> AsyncIterator[import_pb2.ChangedContact]: ...
    async def create(
        self,
        spec: import_pb2.ImportSpec,
        *,
        request_id: str,
        validate_only: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> import_pb2.Import: ...
    def duplicate_rows(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> AsyncIterator[import_pb2.DuplicateRow]: ...
    def export_duplicate_rows(
        self,
        import_id: str,
        *,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[import_service_pb2.ExportDuplicateRowsResponse]: ...
    def export_rejected_rows(
        self,
        import_id: str,
        *,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[import_service_pb2.ExportRejectedRowsResponse]: ...
    async def get(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> import_pb2.Import: ...
    def list(
        self,
        filter: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[import_pb2.Import]: ...
    async def preview(
        self,
        sample: bytes,
        spec: import_pb2.ImportSpec | None = ...,
        *,
        complete: bool = ...,
        partial: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_service_pb2.PreviewImportResponse: ...
    def rejected_rows(
        self,
        import_id: str,
        *,
        reason: import_pb2.RejectReason.ValueType = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[import_pb2.RejectedRow]: ...
    async def revert(
        self,
        import_id: str,
        *,
        validate_only: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_service_pb2.RevertImportResponse: ...
    async def upload_file(
        self,
        source: Uploadable,
        spec: import_pb2.ImportSpec | None = ...,
        *,
        region: str | None = ...,
        parts: int = ...,
        request_id: str = ...,
        validate_only: bool = ...,
        reading: ReadOptions | None = ...,
        on_progress: OnProgress | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> import_pb2.Import: ...
    async def upload_part(
        self,
        import_id: str,
        source: Source,
        *,
        part: int = ...,
        on_progress: OnProgress | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_pb2.Import: ...
    def watch(
        self,
        import_id: str,
        *,
        after_revision: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> AsyncIterator[import_pb2.Import]: ...

class SyncImportClient:
    def cancel(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> import_pb2.Import: ...
    def changed_contacts(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> Iterator[import_pb2.ChangedContact]: ...
    def create(
        self,
        spec: import_pb2.ImportSpec,
        *,
        request_id: str,
        validate_only: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> import_pb2.Import: ...
    def duplicate_rows(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> Iterator[import_pb2.DuplicateRow]: ...
    def export_duplicate_rows(
        self,
        import_id: str,
        *,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[import_service_pb2.ExportDuplicateRowsResponse]: ...
    def export_rejected_rows(
        self,
        import_id: str,
        *,
        plain_cells: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[import_service_pb2.ExportRejectedRowsResponse]: ...
    def get(
        self, import_id: str, *, timeout: float | None = ..., metadata: CallMetadata | None = ..., request_id: str = ...
    ) -> import_pb2.Import: ...
    def list(
        self,
        filter: str = ...,
        *,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[import_pb2.Import]: ...
    def preview(
        self,
        sample: bytes,
        spec: import_pb2.ImportSpec | None = ...,
        *,
        complete: bool = ...,
        partial: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_service_pb2.PreviewImportResponse: ...
    def rejected_rows(
        self,
        import_id: str,
        *,
        reason: import_pb2.RejectReason.ValueType = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[import_pb2.RejectedRow]: ...
    def revert(
        self,
        import_id: str,
        *,
        validate_only: bool = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_service_pb2.RevertImportResponse: ...
    def upload_file(
        self,
        source: Uploadable,
        spec: import_pb2.ImportSpec | None = ...,
        *,
        region: str | None = ...,
        parts: int = ...,
        request_id: str = ...,
        validate_only: bool = ...,
        reading: ReadOptions | None = ...,
        on_progress: OnProgress | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
    ) -> import_pb2.Import: ...
    def upload_part(
        self,
        import_id: str,
        source: Source,
        *,
        part: int = ...,
        on_progress: OnProgress | None = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> import_pb2.Import: ...
    def watch(
        self,
        import_id: str,
        *,
        after_revision: int = ...,
        timeout: float | None = ...,
        metadata: CallMetadata | None = ...,
        request_id: str = ...,
    ) -> Iterator[import_pb2.Import]: ...

class AsyncClient(_client.AsyncClient):
    auth: AsyncAuthClient
    users: AsyncUserClient
    tenant: AsyncTenantClient
    phone: AsyncPhoneClient
    contacts: AsyncContactClient
    imports: AsyncImportClient

class SyncClient:
    auth: SyncAuthClient
    users: SyncUserClient
    tenant: SyncTenantClient
    phone: SyncPhoneClient
    contacts: SyncContactClient
    imports: SyncImportClient
    @classmethod
    def connect(
        cls,
        target: str,
        *,
        token: str = ...,
        tenant_id: str = ...,
        email: str = ...,
        password: str = ...,
        tokens: TokenSource | None = ...,
        config: ClientConfig | None = ...,
        connect_timeout_s: float | None = ...,
    ) -> Self: ...
    def use_session(self, tokens: SessionTokens) -> None: ...
    def use_tokens(self, tokens: TokenSource) -> None: ...
    @property
    def target(self) -> str: ...
    def token(self) -> str: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

__all__ = ["AsyncClient", "SyncClient"]
