"""What is kept of a User-Agent, and who counts as a person."""

import pytest

from app.domain.user_agents import agent_family, is_robot

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
EDGE = CHROME + " Edg/126.0.0.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"  # noqa: E501
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("text", "family"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (EDGE, "Edge on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("iOS/17.5 (21F79) dataaccessd/1.0", "iOS on iPhone"),
        ("macOS/14.5 (23F79) dataaccessd/1.0", "macOS"),
        ("DAVx5/4.4-ose (2024/06/01; dav4jvm; okhttp/4.12.0) Android/14", "DAVx5 on Android"),
        ("curl/8.5.0", "curl"),
        ("  ", None),
        ("", None),
        ("/////", "Unknown"),
        ("\x00\xff", "Unknown"),
        ("A" * 5000, "A" * 32),
    ],
)
def test_the_family_of_a_program_is_kept_and_no_version(text: str, family: str | None) -> None:
    assert agent_family(text) == family


@pytest.mark.parametrize("text", [FIREFOX, CHROME, EDGE, SAFARI])
def test_browsers_are_people(text: str) -> None:
    assert not is_robot(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOGLEBOT,
        "curl/8.5.0",
        "python-requests/2.32",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Applebot/0.1",
    ],
)
def test_robots_and_tools_are_not(text: str) -> None:
    assert is_robot(text)
