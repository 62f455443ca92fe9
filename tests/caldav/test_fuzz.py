"""Whatever comes by any method: an answer below 500, within a second and 100 MB. The corpus is in `tests/corpus`."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.dav_server import Person
from tests.support.memory import forget_peak, peak
from tests.support.mutation import corpus, mutated

REQUESTS, CALENDARS = corpus("requests"), corpus("calendars")
WITH_XML = ["PROPFIND", "PROPPATCH", "REPORT", "REPORT", "REPORT", "MKCALENDAR", "MKCOL", "ACL", "LOCK"]
WITHOUT = ["GET", "HEAD", "OPTIONS", "DELETE", "COPY", "MOVE", "UNLOCK", "TRACE", "PATCH", "POST"]
DEPTHS = ["0", "1", "infinity", "2", "", "\xff"]
TAGS = ["*", '"x"', 'W/"x"', '"', "", '"a","b', "(<urn:x>)"]


@contextmanager
def within_bounds(megabytes: int = 100) -> Iterator[None]:
    """What is done inside raises the peak of this process, which is the server's too, by no more."""
    forget_peak()
    before = peak()
    yield
    grown = (peak() - before) / 2**20
    assert grown < megabytes, f"{grown:.0f} MB more"


def send(person: Person, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
    """The status of an answer that came in time."""
    begun = time.process_time()
    response = person.request(method, path, body, **headers)
    taken = time.process_time() - begun
    assert response.status_code < 500, (method, path, headers, body, response.text[:300])
    assert taken < 1, (taken, method, path, headers, body)
    return response.status_code


def places(person: Person) -> list[str]:
    """Addresses of every kind, and some of none."""
    return [
        person.personal, person.personal + "0.ics", person.personal + "none.ics", person.schedule, person.home,
        person.home + "inbox/", person.home + "outbox/", person.home + "new/", person.principal, "/dav/", "/",
        "/dav/calendars/", person.personal + "%ff", person.personal + "a/b", person.personal + "%2e%2e",
        person.home + "..%2f..", "/dav/calendars/nobody/personal/", person.personal + "x" * 2000,
    ]  # fmt: skip


def some_headers(chance: random.Random, paths: list[str]) -> dict[str, str]:
    """Now and then one that makes no sense."""
    headers = {"Depth": chance.choice(DEPTHS[:2] if chance.random() < 0.8 else DEPTHS)}
    if chance.random() < 0.2:
        name = chance.choice(["If_Match", "If_None_Match", "If_Schedule_Tag_Match", "If"])
        headers[name] = chance.choice(TAGS)
    if chance.random() < 0.2:
        headers["Destination"] = chance.choice([*paths, "http://[::1", "mailto:x", "http://elsewhere.example.com/x"])
        headers["Overwrite"] = chance.choice(["T", "F", "x"])
    if chance.random() < 0.1:
        headers["Prefer"] = chance.choice(["return=minimal", "return=representation", "depth-noroot", ";;,="])
    return headers


def filled(person: Person) -> None:
    """Every calendar of the corpus that is taken, to be read by what follows."""
    for number, text in enumerate(CALENDARS):
        person.request("PUT", f"{person.personal}{number}.ics", text.replace(b"UID:corpus", b"UID:c%d" % number))


@pytest.mark.parametrize("seed", range(4))
def test_requests_gone_wrong_are_answered(lite: Person, seed: int, soak: bool) -> None:
    chance = random.Random(f"requests {seed}")  # noqa: S311  # the same cases each time
    filled(lite)
    paths = places(lite)
    with within_bounds():
        for _ in range(600 if soak else 60):
            if chance.random() < 0.8:
                body = mutated(chance.choice(REQUESTS), chance, REQUESTS)
                send(lite, chance.choice(WITH_XML), chance.choice(paths), body, some_headers(chance, paths))
            else:
                path = chance.choice(paths)
                send(lite, chance.choice(WITHOUT), path, None, some_headers(chance, paths))


@pytest.mark.parametrize("seed", range(4))
def test_calendars_gone_wrong_are_kept_or_refused_and_can_then_be_asked_for(
    lite: Person, seed: int, soak: bool
) -> None:
    chance = random.Random(f"calendars {seed}")  # noqa: S311  # the same cases each time
    with within_bounds():
        for number in range(600 if soak else 60):
            text = mutated(chance.choice(CALENDARS), chance, CALENDARS)
            path = f"{lite.personal}{number % 10}.ics"
            if send(lite, "PUT", path, text, {"Content_Type": "text/calendar"}) < 300:
                send(lite, "REPORT", chance.choice([lite.personal, path]), chance.choice(REQUESTS), {"Depth": "1"})


def test_the_corpus_itself_is_answered(lite: Person) -> None:
    filled(lite)
    for path in places(lite):
        for body in REQUESTS:
            for method in ("PROPFIND", "PROPPATCH", "REPORT"):
                send(lite, method, path, body, {"Depth": "1"})
