"""`bossjy register`: a new tenant and its owner."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bossjy_client.cli.arguments.values import DEFAULT_TARGET
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.login import DEVICE, note_factor
from bossjy_client.cli.messages import tr
from bossjy_client.cli.secret_input import ask, new_password, on_terminal, secret
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.credentials import Login
from bossjy_client.errors import PermissionDeniedError, SourceError
from bossjy_client.tokens import SessionTokens


async def _register(session: Session) -> ExitCode:
    args, output = session.args, session.output
    target = session.target_option or DEFAULT_TARGET
    advice = tr("give --tenant-name and --email")
    tenant_name = args.tenant_name or ask(tr("Name of the tenant: "), advice)
    email = args.email or ask(tr("Mail address: "), advice)
    token = _token(args.token_file)
    password = new_password(from_stdin=args.password_stdin, prompt=tr("Password"))
    async with await Client.connect(target, config=session.config()) as client:
        register = partial(
            client.auth.register, tenant_name, email, password, display_name=args.name, device_name=DEVICE
        )
        try:
            made = await register(registration_token=token)
        except PermissionDeniedError as error:
            if error.reason != "REGISTRATION_CLOSED" or token or args.password_stdin or not on_terminal():
                raise
            output.note(str(error))
            token = secret(tr("Registration token"), from_stdin=False)
            made = await register(registration_token=token)
    tenant_id = made.tenant.tenant_id
    login = Login(target, tenant_id, email).renewed(SessionTokens.of(made.tokens))
    session.credentials.save(session.stored(login))
    if output.as_json:
        output.json({"target": target, "tenant_id": tenant_id, "user_id": made.user.user_id, "email": email})
    else:
        output.pairs((("tenant", tenant_id), ("user", f"{email} ({made.user.user_id})")))
    output.note(
        tr(
            "logged in at {target}; later: bossjy login --target {target} --tenant {tenant_id} --email {email}",
            target=target,
            target2=target,
            tenant_id=tenant_id,
            email=email,
        )
    )
    return note_factor(session, required=made.second_factor_required)


def _token(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip() if path else ""
    except (OSError, UnicodeError) as error:
        raise SourceError(f"{path}: {error}") from error
