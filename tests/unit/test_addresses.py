"""Whom a request counts against."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.addresses import nearest_client

PROXIES = ("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
CHAINS = {
    "no proxies are trusted": ("203.0.113.7", "1.2.3.4", (), "203.0.113.7"),
    "the peer is no proxy": ("203.0.113.7", "1.2.3.4", PROXIES, "203.0.113.7"),
    "one proxy": ("10.0.0.1", "203.0.113.7", PROXIES, "203.0.113.7"),
    "two proxies": ("10.0.0.1", "203.0.113.7, 10.0.0.2", PROXIES, "203.0.113.7"),
    "what the client claims is not believed": ("10.0.0.1", "1.2.3.4, 203.0.113.7", PROXIES, "203.0.113.7"),
    "nor a proxy's address it claims": ("10.0.0.1", "10.9.9.9, 203.0.113.7", PROXIES, "203.0.113.7"),
    "nothing but proxies": ("10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES, "10.0.0.3"),
    "nothing forwarded": ("10.0.0.1", "", PROXIES, "10.0.0.1"),
    "nonsense forwarded": ("10.0.0.1", "unknown", PROXIES, "10.0.0.1"),
    "nonsense behind a proxy": ("10.0.0.1", "<script>, 10.0.0.2", PROXIES, "10.0.0.2"),
    "a port": ("10.0.0.1", "203.0.113.7:4711", PROXIES, "203.0.113.7"),
    "IPv6 with a port": ("10.0.0.1", "[2001:db8:1:2::3]:4711", PROXIES, "2001:db8:1:2::/64"),
    "IPv6 is a /64": ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "", (), "2001:db8:1:2::/64"),
    "IPv6 of a link": ("fe80::1%eth0", "", (), "fe80::/64"),
    "IPv4 in IPv6": ("::ffff:203.0.113.7", "", (), "203.0.113.7"),
    "a proxy's IPv4 in IPv6": ("::ffff:10.0.0.1", "203.0.113.7", PROXIES, "203.0.113.7"),
    "an IPv6 proxy": ("fd00::1", "203.0.113.7", PROXIES, "203.0.113.7"),
    "no address at all": ("unknown", "203.0.113.7", PROXIES, "unknown"),
}


@pytest.mark.parametrize(("peer", "forwarded", "trusted", "expected"), CHAINS.values(), ids=CHAINS.keys())
def test_the_nearest_untrusted_hop_is_the_client(
    peer: str, forwarded: str, trusted: tuple[str, ...], expected: str
) -> None:
    assert nearest_client(peer, forwarded, trusted) == expected


@given(st.text())
def test_no_header_lets_a_client_choose_its_party(forwarded: str) -> None:
    """Behind one honest proxy, which adds the real address last."""
    assert nearest_client("10.0.0.1", f"{forwarded}, 203.0.113.7", PROXIES) == "203.0.113.7"
    assert nearest_client("203.0.113.7", forwarded, PROXIES) == "203.0.113.7"
