"""What pages show of links and bookings, in words: hosts, place, times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domain.bookings import Booking
from app.domain.locations import Location
from app.domain.policies import Policy
from app.ports.links import LinkContext
from app.use_cases.offered_hosts import people_of
from app.web.pages.terms import offer_terms, price_words
from app.web.pages.wording import Wording
from app.web.pages.zones import offset_label, place_of

MOST_AVATARS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens: an icon's name, words, and an address to open (empty: none)."""

    icon: str
    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A time in one zone, in words."""

    day: str
    span: str
    place: str
    offset: str


@dataclass(frozen=True, slots=True)
class LinkFace:
    """The head of a booking page."""

    organization: str
    title: str
    description: str
    hosts: str
    initials: tuple[str, ...]
    place: Place | None
    needs_approval: bool
    price: str
    terms: tuple[str, ...]


def link_face(context: LinkContext, wording: Wording) -> LinkFace:
    """What a recipient learns about a link before booking; where to meet online comes with the booking."""
    link = context.link
    names = [host.name for host in people_of(context)]
    return LinkFace(
        organization=context.organization.name,
        title=link.title,
        description=link.description.strip(),
        hosts=join_names(names, "or" if link.mode in {"pool", "chosen"} else "and"),
        initials=tuple(initials(name) for name in names[:MOST_AVATARS]),
        place=place_of_location(link.location, revealed=False),
        needs_approval=link.requires_approval,
        price=price_words(context.price, wording),
        terms=offer_terms(Policy.of(link), wording),
    )


def place_of_location(location: Location, *, revealed: bool) -> Place | None:
    """The place; until it is `revealed` an online meeting has no address and a phone call no number."""
    value = location.value.strip()
    match location.kind:
        case "link" | "video":
            address = value if revealed and _is_web(value) else ""
            words = "Online meeting, its address follows by mail" if revealed else "Online meeting"
            return Place("video", value if revealed and value else words, address)
        case "phone":
            return Place("phone", f"Phone call: {value}" if revealed and value else "Phone call")
        case "address":
            return Place("pin", value or "In person")
    return None


def _is_web(value: str) -> bool:
    """Whether it may become a link: anything else (`javascript:`) stays text."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.netloc)


def when_of(start: int, end: int, timezone: str, wording: Wording) -> When:
    """A time as people in `timezone` read it."""
    return When(
        wording.day_of(start, timezone),
        wording.span(start, end, timezone),
        place_of(timezone),
        offset_label(timezone, start),
    )


def initials(name: str) -> str:
    """One or two letters for a name without a picture."""
    words = [word for word in name.split() if word[0].isalnum()]
    picked = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper() or "·"


def join_names(names: Iterable[str], word: str = "and") -> str:
    """`Ana, Ben and Cem`."""
    *most, last = list(names) or [""]
    return f"{', '.join(most)} {word} {last}" if most else last


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and what was answered."""

    label: str
    text: str


def answers_of(booking: Booking) -> tuple[Answer, ...]:
    """The answers in words, in the order they were asked."""
    values, labels = booking.answered.values, booking.answered.labels
    return tuple(Answer(labels.get(key, key), _words(value)) for key, value in values.items())


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
