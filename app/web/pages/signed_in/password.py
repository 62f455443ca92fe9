"""Setting a password by an address that was mailed: forgotten ones, and the first one of somebody invited."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, NotFound, RateLimited
from app.use_cases.manage_people import MIN_PASSWORD, ask_password_reset, set_password, user_of_password_address
from app.web.api.fields import Email
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.rendering import page, see_other
from app.web.pages.signed_in.entry import limit_attempts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import outcome, ports_of
from app.web.sessions import check_origin


@get("/app/password/forgot", include_in_schema=False, opt=SKIP_COMPRESSION)
async def forgot_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Asks for the e-mail address; afterwards the same words for known and unknown ones."""
    return _forgot_page(request, Form(), is_sent="sent" in request.query_params)


def _forgot_page(
    request: Request[Any, Any, Any], form: Form, refusal: HalfpastError | None = None, *, is_sent: bool = False
) -> Response[bytes]:
    status, headers = outcome(refusal)
    return page(request, "app/password_forgot.html", status=status, headers=headers, form=form, is_sent=is_sent)


@post("/app/password/forgot", include_in_schema=False, opt=SKIP_COMPRESSION)
async def forgot(request: Request[Any, Any, Any]) -> Response[Any]:
    """Mail the address to set a new password, if there is such an account."""
    ports = ports_of(request)
    check_origin(ports, request)
    form = await Form.posted(request)
    try:
        email = form.text("email", Email, "Please enter an e-mail address such as name@example.com.")
        form.finish()
        await limit_attempts(request, f"reset {email}")
        await ask_password_reset(ports, email)
    except (Invalid, RateLimited) as refusal:
        form.refuse(refusal)
        return _forgot_page(request, form, refusal)
    return see_other("/app/password/forgot?sent")


@get("/app/password/{signed:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def password_page(request: Request[Any, Any, Any], signed: FromPath[str]) -> Response[bytes]:
    """Asks for the new password."""
    return await _password_page(request, signed, Form())


async def _password_page(
    request: Request[Any, Any, Any], signed: str, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    try:
        user = await user_of_password_address(ports_of(request), signed)
    except NotFound as gone:
        status, headers = outcome(gone)
        return page(request, "app/password_gone.html", status=status, headers=headers, privacy="secret")
    status, headers = outcome(refusal)
    return page(
        request,
        "app/password_set.html",
        status=status,
        privacy="secret",
        headers=headers,
        form=form,
        email=user.email,
        is_first=user.password_hash is None,
        least=MIN_PASSWORD,
    )


@post("/app/password/{signed:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def save_password(request: Request[Any, Any, Any], signed: FromPath[str]) -> Response[Any]:
    """Set it; all sessions of the user end, and they sign in anew."""
    ports = ports_of(request)
    check_origin(ports, request)
    form = await Form.posted(request)
    try:
        await set_password(ports, signed, form.secret("password"))
    except (Invalid, NotFound) as refusal:
        form.refuse(refusal)
        return await _password_page(request, signed, form, refusal)
    return see_other("/?did=password")


routes = (forgot_page, forgot, password_page, save_password)
