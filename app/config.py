"""Settings: read once from the environment (and `.env`), frozen, passed on from here.

`VARIABLES` names every variable the program reads; the documentation is tested against it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from limits import parse

PREFIX = "HALFPAST_"
DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")
MIN_KEY = 16
KEPT_KEY = "secret-key"

VARIABLES: Mapping[str, str] = {
    "DATABASE_URL": "sqlite+aiosqlite:///var/halfpast.db or postgresql+asyncpg://user:password@host/name",
    "REDIS_URL": "redis://host:6379/0, to share rate limits between processes",
    "BASE_URL": "the address people reach the program at, such as https://book.example.com",
    "SECRET_KEYS": "comma list of long random texts; the first signs and seals, the others still open",
    "DATA_DIR": "folder for the database, keys and mail when nothing else is set",
    "SMTP_URL": "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465",
    "TLS_CERTFILE": "PEM file of a certificate and its chain, to serve https with and to sign Apple's profiles",
    "TLS_KEYFILE": "PEM file of its key",
    "JITSI_URL": "the Jitsi server where online meetings have their rooms that no calendar makes",
    "IMAP_URL": "imaps://user:password@host/mailbox where answers to invitations arrive",
    "MAIL_FROM": "the sender's address, such as Halfpast <bookings@example.com>",
    "ALLOWED_PRIVATE_HOSTS": "comma list of calendar hosts on private addresses that may be reached; * for all",
    "RATE_LIMIT_PUBLIC": "requests per address to public pages, such as 60/minute",
    "RATE_LIMIT_BOOKING": "bookings, moves and cancellations per address, such as 10/minute",
    "RATE_LIMIT_LOGIN": "sign-in attempts per address and account, such as 10/minute",
    "GOOGLE_CLIENT_ID": "the client id of the program's registration at Google, with the Calendar API switched on",
    "GOOGLE_CLIENT_SECRET": "its client secret",
    "GOOGLE_API_ENDPOINT": "the address of Google's APIs, for another server that stands in",
    "GOOGLE_OAUTH_ENDPOINT": "the address of Google's sign-in and tokens, for another server that stands in",
    "MICROSOFT_CLIENT_ID": "the application id of the program's registration at Microsoft",
    "MICROSOFT_CLIENT_SECRET": "its client secret",
    "MICROSOFT_AUTHORITY": "who may sign in, such as https://login.microsoftonline.com/organizations",
    "MICROSOFT_GRAPH_ENDPOINT": "the address of Microsoft Graph, for another cloud or a server that stands in",
    "TRUSTED_PROXIES": "comma list of proxy networks whose X-Forwarded-For is believed",
}


LOOPBACK = "127.0.0.1"
DEFAULT_ADDRESS = f"http://{LOOPBACK}:8000"
ADDRESS_FILE = "address"


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """The program as a calendar provider knows it, and the addresses of its sign-in page, its tokens and its API."""

    client_id: str
    client_secret: str
    sign_in: str
    tokens: str
    api: str


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: a certificate with its chain, and its key."""

    certificate: Path
    key: Path


GOOGLE = OAuthSettings(
    "", "", "https://accounts.google.com", "https://oauth2.googleapis.com", "https://www.googleapis.com"
)
MICROSOFT_AUTHORITY = "https://login.microsoftonline.com/common"
JITSI = "https://meet.jit.si"
MICROSOFT = OAuthSettings("", "", MICROSOFT_AUTHORITY, MICROSOFT_AUTHORITY, "https://graph.microsoft.com/v1.0")


class BadSettings(Exception):
    """The environment cannot be used; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides. `secret_keys` is never empty, the newest first; rate limits are `limits`
    notation."""

    database_url: str
    redis_url: str | None
    base_url: str
    secret_keys: tuple[str, ...]
    data_dir: Path
    smtp_url: str | None
    imap_url: str | None
    mail_from: str
    allowed_private_hosts: frozenset[str]
    rate_limit_public: str
    rate_limit_booking: str
    rate_limit_login: str
    trusted_proxies: tuple[str, ...]
    google: OAuthSettings | None
    microsoft: OAuthSettings | None
    jitsi_url: str
    tls: TlsFiles | None
    bound_host: str

    @property
    def host_name(self) -> str:
        """The host of `base_url`."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach the program."""
        return is_loopback_host(self.host_name) and is_loopback_host(self.bound_host)

    @property
    def is_https(self) -> bool:
        """Whether people reach it over TLS, so that cookies may insist on it."""
        return self.base_url.startswith("https://")


def is_loopback_host(host: str) -> bool:
    """localhost or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def load_settings(
    environ: Mapping[str, str] | None = None, *, port: int | None = None, host: str | None = None
) -> Settings:
    """Settings from `environ` (default: the process's, over `.env`).

    When the base URL is unset, `host` and `port` make it; without them it is the address that `serve` took last.
    """
    values = {**_read_dotenv(Path(".env")), **os.environ} if environ is None else dict(environ)

    def value(name: str) -> str | None:
        return values.get(PREFIX + name) or None

    data_dir = Path(value("DATA_DIR") or "var")
    tls = _tls(value("TLS_CERTFILE"), value("TLS_KEYFILE"))
    scheme = "https" if tls else "http"
    address = f"{scheme}://{_display_host(host or LOOPBACK)}:{port or 8000}"
    served = address if host or port else _noted_address(data_dir)
    base_url = _site(value("BASE_URL") or served, "BASE_URL")
    return Settings(
        database_url=_database_url(value("DATABASE_URL") or f"sqlite+aiosqlite:///{data_dir}/halfpast.db"),
        redis_url=_redis_url(value("REDIS_URL")),
        base_url=base_url,
        secret_keys=_secret_keys(value("SECRET_KEYS"), data_dir, (urlsplit(base_url).hostname or "", host or LOOPBACK)),
        data_dir=data_dir,
        smtp_url=_smtp_url(value("SMTP_URL")),
        imap_url=value("IMAP_URL"),
        mail_from=value("MAIL_FROM") or f"Halfpast <halfpast@{_mail_domain(base_url)}>",
        allowed_private_hosts=frozenset(_parts(value("ALLOWED_PRIVATE_HOSTS"))),
        rate_limit_public=_rate("RATE_LIMIT_PUBLIC", value("RATE_LIMIT_PUBLIC") or "60/minute"),
        rate_limit_booking=_rate("RATE_LIMIT_BOOKING", value("RATE_LIMIT_BOOKING") or "10/minute"),
        rate_limit_login=_rate("RATE_LIMIT_LOGIN", value("RATE_LIMIT_LOGIN") or "10/minute"),
        trusted_proxies=_networks(_parts(value("TRUSTED_PROXIES"))),
        google=_oauth(
            "GOOGLE",
            GOOGLE,
            value("GOOGLE_CLIENT_ID"),
            value("GOOGLE_CLIENT_SECRET"),
            value("GOOGLE_OAUTH_ENDPOINT"),
            value("GOOGLE_API_ENDPOINT"),
        ),
        microsoft=_oauth(
            "MICROSOFT",
            MICROSOFT,
            value("MICROSOFT_CLIENT_ID"),
            value("MICROSOFT_CLIENT_SECRET"),
            value("MICROSOFT_AUTHORITY"),
            value("MICROSOFT_GRAPH_ENDPOINT"),
        ),
        jitsi_url=_site(value("JITSI_URL") or JITSI, "JITSI_URL"),
        tls=tls,
        bound_host=host or LOOPBACK,
    )


def note_address(settings: Settings) -> None:
    """Keep the address that is served, for the commands of other shells."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / ADDRESS_FILE).write_text(settings.base_url)


def _noted_address(data_dir: Path) -> str:
    try:
        return (data_dir / ADDRESS_FILE).read_text().strip() or DEFAULT_ADDRESS
    except OSError:
        return DEFAULT_ADDRESS


def _oauth(
    name: str,
    usual: OAuthSettings,
    client_id: str | None,
    client_secret: str | None,
    sign_in: str | None,
    api: str | None,
) -> OAuthSettings | None:
    """How a provider is reached; None unless the program is registered there."""
    if client_id is None and client_secret is None:
        return None
    if client_id is None or client_secret is None:
        raise BadSettings(f"{PREFIX}{name}_CLIENT_ID and {PREFIX}{name}_CLIENT_SECRET are set together.")
    return OAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        sign_in=(sign_in or usual.sign_in).rstrip("/"),
        tokens=(sign_in or usual.tokens).rstrip("/"),
        api=(api or usual.api).rstrip("/"),
    )


def _tls(certificate: str | None, key: str | None) -> TlsFiles | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BadSettings(f"{PREFIX}TLS_CERTFILE and {PREFIX}TLS_KEYFILE are set together.")
    return TlsFiles(Path(certificate), Path(key))


def _site(text: str, name: str) -> str:
    url = text.rstrip("/")
    try:
        parts = urlsplit(url)
        is_whole_site = parts.scheme in {"http", "https"} and parts.hostname and parts.netloc == url.partition("//")[2]
        is_usable = is_whole_site and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadSettings(f"{PREFIX}{name} must be an address such as https://book.example.com, not “{text}”.")
    return url


def _database_url(text: str) -> str:
    if not text.startswith(DATABASES):
        # Not repeated: it may hold a password.
        raise BadSettings(f"{PREFIX}DATABASE_URL must begin with {' or '.join(DATABASES)}.")
    return text


def _redis_url(text: str | None) -> str | None:
    if text is not None and not text.startswith(("redis://", "rediss://")):
        raise BadSettings(f"{PREFIX}REDIS_URL must begin with redis:// or rediss://.")
    return text


def _mail_domain(base_url: str) -> str:
    """The host of the address; an IPv6 address cannot stand in a mail address as it is."""
    host = urlsplit(base_url).hostname or "localhost"
    return "localhost" if ":" in host else host


def _display_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _networks(parts: list[str]) -> tuple[str, ...]:
    for part in parts:
        try:
            ip_network(part, strict=False)
        except ValueError as problem:
            raise BadSettings(f"{PREFIX}TRUSTED_PROXIES: “{part}” is not an address or network.") from problem
    return tuple(parts)


def _rate(name: str, text: str) -> str:
    try:
        parse(text)
    except ValueError as problem:
        raise BadSettings(f"{PREFIX}{name}: “{text}” is not a rate such as 60/minute.") from problem
    return text


def _smtp_url(text: str | None) -> str | None:
    if text is not None and urlsplit(text).scheme not in {"smtp", "smtps"}:
        raise BadSettings(f"{PREFIX}SMTP_URL must begin with smtp:// or smtps://.")
    return text


def _secret_keys(text: str | None, data_dir: Path, hosts: Sequence[str]) -> tuple[str, ...]:
    keys = _parts(text)
    path = data_dir / KEPT_KEY
    if keys:
        if min(map(len, keys)) < MIN_KEY:
            raise BadSettings(f"{PREFIX}SECRET_KEYS: each key needs at least {MIN_KEY} characters.")
        return tuple(dict.fromkeys([*keys, *_older_key(path)]))
    if not all(map(is_loopback_host, hosts)):
        raise BadSettings(
            f"{PREFIX}SECRET_KEYS is required unless the program is reached on loopback. "
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return (_kept_key(path),)


def _older_key(path: Path) -> list[str]:
    """The key made before keys were set: what it sealed must still open. It signs and seals no more."""
    key = path.read_text().strip() if path.exists() else ""
    return [key] if len(key) >= MIN_KEY else []


def _kept_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place, which only one does: several processes starting at once end up with one key.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        draft.touch(0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    key = path.read_text().strip()
    if len(key) < MIN_KEY:
        raise BadSettings(f"{path} holds no key: bring it back from a backup, or set {PREFIX}SECRET_KEYS.")
    return key


def _read_dotenv(path: Path) -> dict[str, str]:
    """What `.env` sets; a `$` in it is a `$`."""
    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as problem:
        raise BadSettings(f"{path} cannot be read: {problem}.") from problem
    return {name: value for name, value in found.items() if value is not None}
