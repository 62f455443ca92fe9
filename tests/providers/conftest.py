"""The calendar servers of the provider tests, real and fake."""

from tests.fakes.microsoft import certificate_authority, microsoft
from tests.providers.google_backend import gmail, google
from tests.providers.microsoft_backend import outlook
from tests.support.calendar_servers import box, radicale_server, xandikos_server

__all__ = [
    "box",
    "certificate_authority",
    "gmail",
    "google",
    "microsoft",
    "outlook",
    "radicale_server",
    "xandikos_server",
]
