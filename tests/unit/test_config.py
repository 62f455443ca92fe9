"""Settings: what the environment says, what is made up, and what is refused with the mend."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest

from app.config import PREFIX, VARIABLES, BadSettings, Settings, load_settings, note_address

ROOT = Path(__file__).parents[2]
KEY = "a-key-that-is-long-enough"


def settings_of(tmp_path: Path, host: str = "127.0.0.1", **variables: str) -> Settings:
    values = {"DATA_DIR": str(tmp_path), **variables}
    return load_settings({PREFIX + name: value for name, value in values.items()}, host=host)


def test_every_variable_is_documented() -> None:
    """One row of the table each, and no row for what is not read."""
    text = (ROOT / "docs/operations.md").read_text()
    rows = set(re.findall(r"^\| `HALFPAST_(\w+)` \|", text, re.MULTILINE))
    assert rows == set(VARIABLES)


def test_every_variable_that_is_read_is_listed() -> None:
    """Wherever the program reads its environment."""
    source = (ROOT / "app/config.py").read_text()
    read = set(re.findall(r'value\("(\w+)"\)', source))
    assert read == set(VARIABLES)
    others = [
        path
        for folder in ("app", "integrations", "calendar_feeds")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    ]
    library_switch = "integrations/google/sign_in.py"  # sets what oauthlib looks for
    assert {path.relative_to(ROOT).as_posix() for path in others} <= {"app/config.py", "app/serve.py", library_switch}


def test_everything_has_a_default_on_loopback(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/halfpast.db"
    assert settings.is_loopback
    assert not settings.is_https
    assert (settings.rate_limit_public, settings.rate_limit_booking) == ("60/minute", "10/minute")
    assert (settings.redis_url, settings.smtp_url, settings.trusted_proxies) == (None, None, ())


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = settings_of(tmp_path).secret_keys
    assert settings_of(tmp_path).secret_keys == first
    assert len(first[0]) >= 48
    path = tmp_path / "secret-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path], "no draft is left"


def test_processes_starting_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    found: list[tuple[str, ...]] = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        found.append(settings_of(tmp_path).secret_keys)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_keys_are_required_where_others_can_reach_the_program(tmp_path: Path) -> None:
    for given in ({"BASE_URL": "https://book.example.com"}, {"host": "0.0.0.0"}, {"host": "::"}):  # noqa: S104
        with pytest.raises(BadSettings, match="HALFPAST_SECRET_KEYS is required"):
            settings_of(tmp_path, **given)
        assert settings_of(tmp_path, SECRET_KEYS=KEY, **given).secret_keys == (KEY,)


def test_keys_are_a_list_the_first_one_new(tmp_path: Path) -> None:
    assert settings_of(tmp_path, SECRET_KEYS=f"{KEY}-new , {KEY}").secret_keys == (f"{KEY}-new", KEY)


def test_a_kept_key_stays_known_as_the_oldest(tmp_path: Path) -> None:
    """What it sealed must still open once keys are set; it is not made then, and not named twice."""
    assert settings_of(tmp_path, SECRET_KEYS=KEY).secret_keys == (KEY,)
    assert not list(tmp_path.iterdir())
    (kept,) = settings_of(tmp_path).secret_keys
    assert settings_of(tmp_path, SECRET_KEYS=f"{KEY}-new,{KEY}").secret_keys == (f"{KEY}-new", KEY, kept)
    assert settings_of(tmp_path, SECRET_KEYS=f"{kept},{KEY}").secret_keys == (kept, KEY)
    (tmp_path / "secret-key").write_text("short")
    assert settings_of(tmp_path, SECRET_KEYS=KEY).secret_keys == (KEY,)


@pytest.mark.parametrize("content", ["", "short", " \n"])
def test_a_kept_key_that_is_none_is_not_taken(tmp_path: Path, content: str) -> None:
    """An empty one would sign and seal with nothing."""
    (tmp_path / "secret-key").write_text(content)
    with pytest.raises(BadSettings, match="holds no key"):
        settings_of(tmp_path)


REFUSED = {
    "BASE_URL": (
        "book.example.com",
        "ftp://x",
        "https://",
        "https://x/path",
        "https://x?q",
        "https://x:port",
        "https://u:p@x",
        "/",
    ),
    "DATABASE_URL": ("mysql://x", "postgresql://x", "sqlite:///x.db", "nonsense"),
    "REDIS_URL": ("127.0.0.1:6379", "http://x", "memcached://x"),
    "SECRET_KEYS": ("short", f"{KEY},short"),
    "SMTP_URL": ("mail.example.com", "http://mail.example.com"),
    "RATE_LIMIT_PUBLIC": ("many", "60", "60/fortnight", "-1/minute"),
    "RATE_LIMIT_BOOKING": ("x",),
    "RATE_LIMIT_LOGIN": ("x",),
    "TRUSTED_PROXIES": ("proxy.example.com", "10.0.0.0/33", "10.0.0.1, x"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=PREFIX + name):
        settings_of(tmp_path, **{name: value})


def test_a_refusal_tells_no_password(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as refused:
        settings_of(tmp_path, DATABASE_URL="postgres://user:hunter2@host/name")
    assert "hunter2" not in str(refused.value)


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    """As a compose file without a value makes it."""
    settings = settings_of(tmp_path, **dict.fromkeys(set(VARIABLES) - {"DATA_DIR"}, ""))
    assert settings.base_url == "http://127.0.0.1:8000"


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        BASE_URL="https://book.example.com/",
        SECRET_KEYS=KEY,
        DATABASE_URL="postgresql+asyncpg://user:p%40ss@db/halfpast",
        REDIS_URL="redis://cache:6379/1",
        SMTP_URL="smtps://user:secret@mail.example.com",
        MAIL_FROM="Bookings <bookings@example.com>",
        ALLOWED_PRIVATE_HOSTS="nas.local, 192.168.1.5",
        TRUSTED_PROXIES="10.0.0.0/8,::1",
        RATE_LIMIT_PUBLIC="600/hour",
    )
    assert settings.base_url == "https://book.example.com"
    assert settings.is_https
    assert not settings.is_loopback
    assert settings.host_name == "book.example.com"
    assert settings.allowed_private_hosts == {"nas.local", "192.168.1.5"}
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.rate_limit_public == "600/hour"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("localhost", "http://localhost:8000")],
)
def test_the_address_is_where_the_program_listens(tmp_path: Path, host: str, expected: str) -> None:
    assert settings_of(tmp_path, host=host).base_url == expected


def test_other_commands_know_the_address_that_is_served(tmp_path: Path) -> None:
    folder = {PREFIX + "DATA_DIR": str(tmp_path)}
    assert load_settings(folder).base_url == "http://127.0.0.1:8000"
    note_address(settings_of(tmp_path, host="localhost"))
    assert load_settings(folder).base_url == "http://localhost:8000"
    chosen = {PREFIX + "BASE_URL": "https://book.example.com", PREFIX + "SECRET_KEYS": KEY}
    assert load_settings(folder | chosen).base_url == "https://book.example.com"


@pytest.mark.parametrize("name", ["GOOGLE", "MICROSOFT"])
def test_a_registration_has_an_id_and_a_secret(tmp_path: Path, name: str) -> None:
    assert getattr(settings_of(tmp_path), name.lower()) is None
    with pytest.raises(BadSettings, match=f"{name}_CLIENT_SECRET"):
        settings_of(tmp_path, **{f"{name}_CLIENT_ID": "id"})
    found = getattr(settings_of(tmp_path, **{f"{name}_CLIENT_ID": "id", f"{name}_CLIENT_SECRET": "s"}), name.lower())
    assert (found.client_id, found.client_secret, found.api.startswith("https://")) == ("id", "s", True)


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "# settings\n"
        "export HALFPAST_BASE_URL='http://127.0.0.1:9000'\n"
        'HALFPAST_MAIL_FROM="Half Past <hp@example.com>"  # the sender\n'
        "HALFPAST_SMTP_URL=smtp://user:pa${HOME}ss#word@mail.example.com:587\n"
        f"HALFPAST_SECRET_KEYS = {KEY}\n"
        "HALFPAST_RATE_LIMIT_PUBLIC=1/minute\n"
        "\n"
        "NOT_A_SETTING\n"
    )
    for name in VARIABLES:
        monkeypatch.delenv(PREFIX + name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HALFPAST_RATE_LIMIT_PUBLIC", "2/minute")
    settings = load_settings()
    assert settings.base_url == "http://127.0.0.1:9000"
    assert settings.mail_from == "Half Past <hp@example.com>"
    assert settings.smtp_url == "smtp://user:pa${HOME}ss#word@mail.example.com:587", "a $ is a $"
    assert settings.secret_keys == (KEY,)
    assert settings.rate_limit_public == "2/minute"


def test_a_dotenv_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"HALFPAST_MAIL_FROM=\xff\xfe\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSettings, match=r"\.env cannot be read"):
        load_settings()
