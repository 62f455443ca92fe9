"""Addresses and profiles that fill in an account, without a server."""

import plistlib

from app.domain.apple_profile import Account, apple_profile
from app.domain.set_up_links import caldav_link, davx5_link
from app.web.pages.signed_in.phone_views import seen_words
from app.web.pages.wording import wording_for

SITE = "https://book.example.com"


def test_davx5_opens_with_everything_filled_in() -> None:
    assert davx5_link(SITE, "ana", "aaaaa-bbbbb") == "davx5://ana:aaaaa-bbbbb@book.example.com/dav/"
    assert davx5_link(f"{SITE}:8443", "a.b", "p@ss/word") == "davx5://a.b:p%40ss%2Fword@book.example.com:8443/dav/"
    assert davx5_link("http://127.0.0.1:8000", "ana", "x") is None


def test_caldav_links_say_whether_there_is_tls() -> None:
    assert caldav_link(SITE, "ana") == "caldavs://ana@book.example.com/dav/"
    assert caldav_link("http://127.0.0.1:8000", "ana") == "caldav://ana@127.0.0.1:8000/dav/"


def test_a_profile_that_is_installed_again_takes_the_place_of_the_first() -> None:
    first, second = (
        plistlib.loads(apple_profile(Account(SITE, "ana", password, "Ana & <Co>", number)))
        for number, password in (("1", "one"), ("2", "two"))
    )
    assert first["PayloadIdentifier"] == second["PayloadIdentifier"] == "com.example.book.halfpast.ana"
    assert first["PayloadUUID"] != second["PayloadUUID"]
    [account] = first["PayloadContent"]
    assert (account["CalDAVHostName"], account["CalDAVPort"], account["CalDAVUseSSL"]) == (
        "book.example.com",
        443,
        True,
    )
    assert account["CalDAVAccountDescription"] == "Halfpast (Ana & <Co>)"


def test_a_device_was_seen_as_people_say_it() -> None:
    wording = wording_for("en-GB")
    now = 1_800_000_000
    told = {
        None: "never seen", now + 5: "seen just now", now - 119: "seen just now",
        now - 120: "last seen 2 minutes ago", now - 7199: "last seen 119 minutes ago",
        now - 7200: "last seen 2 hours ago", now - 172_799: "last seen 47 hours ago",
    }  # fmt: skip
    assert {last: seen_words(last, "Europe/Berlin", wording, now) for last in told} == told
    assert seen_words(now - 10 * 86400, "Europe/Berlin", wording, now).startswith("last seen on ")
