"""To a provider's page and back, in a browser.

Everything that must be known when the person comes back travels in the `state`: signed, good for one errand, and bound
to the secret of the browser that began (its session, or a cookie of its own where nobody is signed in). Nothing is kept
for those who never return. The secret of PKCE is derived from it, and is in nobody's address.
"""

from __future__ import annotations

from app.domain.errors import Invalid, NotFound
from app.ports import Ports
from app.ports.calendars import SignInRequest

STATE_SECONDS = 15 * 60


def new_state(ports: Ports, errand: str, browser: str, provider: str, facts: dict[str, str]) -> str:
    """A state for the way there. `errand` names what the trip is for, `browser` is the browser's secret."""
    bound = {"browser": _mark(ports, errand, browser), "provider": provider, "nonce": ports.vault.new_token()}
    return ports.vault.sign(errand, {**facts, **bound})


def facts_of(ports: Ports, errand: str, browser: str | None, provider: str, state: str) -> dict[str, str]:
    """The facts of a state that came back. `Invalid` (field `state`) for one that is forged, of another errand or
    provider, older than `STATE_SECONDS`, or was begun in another browser."""
    facts = ports.vault.unsign(errand, state, STATE_SECONDS)
    if facts is None or browser is None:
        raise Invalid.field("state", "This took too long, or was begun elsewhere. Please try again.")
    if (facts["browser"], facts["provider"]) != (_mark(ports, errand, browser), provider):
        raise Invalid.field("state", "This was begun in another browser. Please try again.")
    return facts


def is_errand(ports: Ports, errand: str, state: str) -> bool:
    """Whether a state, however old, is of this errand."""
    return ports.vault.unsign(errand, state, 10 * 365 * 86400) is not None


def request_of(
    ports: Ports, provider: str, state: str, login_hint: str = "", *, with_contacts: bool = False
) -> SignInRequest:
    """The same request on the way there and after it."""
    verifier = ports.vault.lookup(f"PKCE {state}")  # 64 characters that PKCE allows (RFC 7636 §4.1)
    return SignInRequest(callback_address(ports, provider), state, verifier, login_hint, with_contacts)


def callback_address(ports: Ports, provider: str) -> str:
    """Where the provider sends people back to; it is registered there in these very words."""
    return f"{ports.base_url}/api/v1/calendar-accounts/{provider}/callback"


def require_offered(ports: Ports, provider: str) -> None:
    """`NotFound` for a provider with a sign-in page that the program is not registered at."""
    if provider not in ports.sign_ins:
        raise NotFound("This server cannot connect accounts of this kind.")


def _mark(ports: Ports, errand: str, browser: str) -> str:
    return ports.vault.lookup(f"{errand} {browser}")[:32]
