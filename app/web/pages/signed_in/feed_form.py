"""What can be chosen about a feed, when it is made and again later at `/app/phone/feeds/{id}`, where its address
stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, NotFound
from app.domain.feeds import PAST_DAYS, FeedOptions
from app.ports.tokens import Feed
from app.use_cases.manage_tokens import change_feed
from app.web.api.fields import RequiredLine
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of
from app.web.pages.signed_in.phone_views import KINDS
from app.web.sessions import Caller

Choices = Sequence[tuple[str, str]]
"""(value of the form, words)."""
PAST_CHOICES: Choices = (("7", "A week"), ("30", "A month"), (str(PAST_DAYS), "Three months"), ("365", "A year"))
FUTURE_CHOICES: Choices = (("30", "A month"), ("90", "Three months"), ("365", "A year"))
ALARM_CHOICES: Choices = (
    ("none", "Never"),
    ("0", "At the start"),
    *((str(minutes), f"{minutes} minutes before") for minutes in (5, 10, 15, 30)),
    ("60", "An hour before"),
    ("1440", "A day before"),
)
LABEL = "Please keep the name on one line, below 200 characters."
_NAME = "Please give it a name, on one line and below 200 characters."


def feed_form(kind: str, label: str, options: FeedOptions) -> Form:
    """The form of a feed as it is."""
    past, future, alarms = options.past_days, options.future_days, _alarms_value(options)
    return Form.of({"kind": kind, "label": label, "past_days": past, "future_days": future, "alarms": alarms})


def _alarms_value(options: FeedOptions) -> str:
    if options.alarms is None:
        return ""
    return ",".join(map(str, options.alarms)) or "none"


def choices_for(options: FeedOptions) -> dict[str, Choices]:
    """What the form offers: the usual, and what holds already though a program chose it."""
    future = "" if options.future_days is None else str(options.future_days)
    minutes = ", ".join(map(str, options.alarms or ()))
    return {
        "past": _with(PAST_CHOICES, str(options.past_days), f"{options.past_days} days"),
        "future": _with(FUTURE_CHOICES, future, f"{future} days"),
        "alarms": _with(ALARM_CHOICES, _alarms_value(options), f"{minutes} minutes before"),
    }


def _with(choices: Choices, value: str, words: str) -> Choices:
    return choices if not value or value in dict(choices) else (*choices, (value, words))


def read_options(form: Form, known: FeedOptions | None = None) -> FeedOptions:
    """What was chosen in the form of a feed that has the options `known`; `Invalid`, with everything that is wrong."""
    past = form.optional_number("past_days", int, "Please choose how far it reaches back.")
    future = form.optional_number("future_days", int, "Please choose how far it reaches ahead.")
    offered = choices_for(known or FeedOptions())["alarms"]
    alarms = form.one_of("alarms", {"", *dict(offered)}, "Please choose when to be reminded.")
    form.finish()
    minutes = None if not alarms else [] if alarms == "none" else [int(each) for each in alarms.split(",")]
    return FeedOptions.checked(past, future, minutes)


@get("/phone/feeds/{feed_id:uuid}")
async def feed_page(request: Request[Any, Any, Any], caller: Member, feed_id: FromPath[UUID]) -> Response[bytes]:
    """What holds, to choose again."""
    feed = await _own(request, caller, feed_id)
    return _page(request, caller, feed, feed_form(feed.kind, feed.label, feed.options))


@post("/phone/feeds/{feed_id:uuid}")
async def save_feed(request: Request[Any, Any, Any], caller: Member, feed_id: FromPath[UUID]) -> Response[Any]:
    """Its subscribers see it when they next ask."""
    form = await Form.posted(request)
    feed = await _own(request, caller, feed_id)
    try:
        label = form.text("label", RequiredLine, _NAME)
        options = read_options(form, feed.options)
        await change_feed(ports_of(request), caller.user, feed.id, lambda _: options, label)
    except Invalid as refusal:
        form.refuse(refusal)
        return _page(request, caller, feed, form, refusal)
    return done("/app/phone", "saved", "feeds")


async def _own(request: Request[Any, Any, Any], caller: Caller, feed_id: UUID) -> Feed:
    async with ports_of(request).read() as work:
        feeds = await work.tokens.feeds(caller.user.id)
    found = next((feed for feed in feeds if feed.id == str(feed_id)), None)
    if found is None:
        raise NotFound("There is no such feed.")
    return found


def _page(
    request: Request[Any, Any, Any], caller: Caller, feed: Feed, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    return app_page(
        request,
        caller,
        "feed",
        refusal=refusal,
        name=feed.label,
        kind=KINDS[feed.kind],
        path=f"/app/phone/feeds/{feed.id}",
        form=form,
        choices=choices_for(feed.options),
    )


routes: Sequence[Any] = (feed_page, save_feed)
