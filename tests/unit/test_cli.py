"""The command line as scripts use it: the value alone on standard output, words on standard error, exit 0, 1 or 2."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import PREFIX

HALFPAST = Path(sys.executable).with_name("halfpast")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


class Shell:
    """A shell in a folder of its own, over one database."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._folder = folder
        self._variables = {f"HALFPAST_{name}": value for name, value in variables.items()}

    def run(self, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        more = {f"HALFPAST_{name}": value for name, value in variables.items()}
        return subprocess.run(
            [HALFPAST, *arguments],
            input=given,
            env={**inherited, **self._variables, **more},
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def value(self, *arguments: str, given: str = "") -> str:
        """The one line that a successful command prints."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        return line

    def refusal(self, *arguments: str, given: str = "", **variables: str) -> str:
        """The one line that a failing command says."""
        done = self.run(*arguments, given=given, **variables)
        assert done.returncode == 1, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("halfpast: ")
        assert "Traceback" not in line
        return line.removeprefix("halfpast: ")


def migrated(folder: Path, **variables: str) -> Shell:
    shell = Shell(folder, **variables)
    done = shell.run("migrate")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return shell


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """Over a migrated database, on each engine."""
    return migrated(tmp_path, DATABASE_URL=database_url)


@pytest.fixture(scope="module")
def one_shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Over one migrated SQLite database, with an organization and a user in it."""
    shell = migrated(tmp_path_factory.mktemp("shell"))
    shell.value("orgs", "create", "--name", "Acme")
    user = ("users", "create", "--email", "o@example.com", "--name", "O", "--role", "owner", "--password-stdin")
    shell.value(*user, given="correct-horse-battery\n")
    return shell


def test_a_server_is_set_up_by_a_script(shell: Shell) -> None:
    """Each command's value is taken by the next; nothing else is on standard output."""
    assert shell.value("orgs", "create", "--name", "Acme & Sons") == "acme-sons"
    assert shell.value("orgs", "create", "--name", "Other", "--slug", "other") == "other"
    made = shell.value(
        *("users", "create", "--email", "Olga@Example.com", "--name", "Olga", "--role", "owner,admin"),
        *("--org", "acme-sons", "--password-stdin"),
        given="correct-horse-battery\n",
    )
    assert re.fullmatch(UUID, made)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", shell.value("tokens", "create", "--email", "olga@example.com"))
    assert re.fullmatch(
        r"([a-z0-9]{5}-){4}[a-z0-9]{5}", shell.value("app-passwords", "create", "--email", "olga@example.com")
    )
    address = shell.value("feeds", "create", "--email", "OLGA@example.com")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/feeds/[A-Za-z0-9_-]{32}\.ics", address)
    chosen = ("--kind", "busy", "--past-days", "0", "--future-days", "30", "--alarms", "10", "60")
    assert shell.value("feeds", "create", "--email", "olga@example.com", *chosen) != address


def test_whoever_has_no_password_is_invited_by_mail(one_shell: Shell) -> None:
    done = one_shell.run("users", "create", "--email", "i@example.com", "--name", "I", "--role", "employee")
    assert done.returncode == 0
    assert re.fullmatch(UUID, done.stdout.strip())
    assert "invitation" in done.stderr


def test_a_given_app_password_is_kept(one_shell: Shell) -> None:
    value = "moved-from-the-old-server"
    made = one_shell.value("app-passwords", "create", "--email", "o@example.com", "--value-stdin", given=f"{value}\r\n")
    assert made == value


def test_the_demo_is_loaded_once(shell: Shell) -> None:
    for words in ("is loaded", "not loaded"):
        done = shell.run("demo")
        assert (done.returncode, done.stdout) == (0, "")
        assert words in done.stderr


def test_the_doctor_says_what_is_well_and_what_is_not(one_shell: Shell) -> None:
    done = one_shell.run("doctor")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "ok   database" in done.stderr
    ill = one_shell.run("doctor", SMTP_URL="smtp://127.0.0.1:1")
    assert (ill.returncode, ill.stdout) == (1, "")
    assert "FAIL mail" in ill.stderr
    assert "HALFPAST_SMTP_URL" in ill.stderr


OF_A_LINK = ("feeds", "create", "--email", "o@example.com", "--kind", "link", "--subject")
REFUSED = {
    "an unknown user": (("tokens", "create", "--email", "nobody@example.com"), "", "nobody@example.com"),
    "an e-mail address that is none": (("feeds", "create", "--email", "nobody"), "", "nobody"),
    "a feed of all for somebody": (
        ("feeds", "create", "--email", "o@example.com", "--kind", "organization"),
        "",
        "admins",
    ),
    "a feed of no link": ((*OF_A_LINK, "nothing"), "", "There is no link “nothing”"),
    "a feed of an unknown id": ((*OF_A_LINK, "01a1feea-db94-721f-ba7f-a99ae1a1106d"), "", "There is no such link"),
    "a taken slug": (("orgs", "create", "--name", "Acme"), "", "acme"),
    "a reserved slug": (("orgs", "create", "--name", "X", "--slug", "app"), "", "slug"),
    "a slug that ends a line": (("orgs", "create", "--name", "X", "--slug", "x\n"), "", "slug"),
    "a blank name": (("orgs", "create", "--name", "  "), "", "slug|name"),
    "an unknown role": (
        ("users", "create", "--email", "x@example.com", "--name", "X", "--role", "boss"),
        "",
        "owner, admin, employee",
    ),
    "a taken e-mail address": (
        ("users", "create", "--email", "O@example.com", "--name", "X", "--role", "owner"),
        "",
        "already",
    ),
    "an export of somebody unknown": (("export", "--email", "nobody@example.com"), "", "Nothing is known"),
    "an erasure of somebody unknown": (("erase", "--email", "nobody@example.com"), "", "Nothing is known"),
    "an export of no address": (("export", "--email", "nobody"), "", "e-mail address"),
    "an unknown organization": (
        ("users", "create", "--email", "x@example.com", "--name", "X", "--role", "owner", "--org", "no"),
        "",
        "no",
    ),
    "an unknown zone": (
        ("users", "create", "--email", "x@example.com", "--name", "X", "--role", "owner", "--timezone", "Mars"),
        "",
        "zone",
    ),
    "a short password": (
        ("users", "create", "--email", "x@example.com", "--name", "X", "--role", "owner", "--password-stdin"),
        "short\n",
        "at least 10",
    ),
    "no password where one was promised": (
        ("users", "create", "--email", "x@example.com", "--name", "X", "--role", "owner", "--password-stdin"),
        "",
        "at least 10",
    ),
    "a short app password": (
        ("app-passwords", "create", "--email", "o@example.com", "--value-stdin"),
        "short\n",
        "at least 16",
    ),
}


@pytest.mark.parametrize(("arguments", "given", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_is_one_line_and_exit_1(one_shell: Shell, arguments: tuple[str, ...], given: str, words: str) -> None:
    assert re.search(words, one_shell.refusal(*arguments, given=given))


UNUSABLE = {
    "a wrong setting": ({"RATE_LIMIT_LOGIN": "often"}, "HALFPAST_RATE_LIMIT_LOGIN"),
    "a sender that is none": ({"MAIL_FROM": "nobody"}, "HALFPAST_MAIL_FROM"),
    "a mail server that is none": ({"SMTP_URL": "smtp://:port"}, "HALFPAST_SMTP_URL"),
    "a database of another kind": ({"DATABASE_URL": "mysql://x"}, "HALFPAST_DATABASE_URL"),
    "a database that does not answer": ({"DATABASE_URL": "postgresql+asyncpg://x@127.0.0.1:1/x"}, "onnect"),
    "a database that is none": ({"DATABASE_URL": "sqlite+aiosqlite:////dev/null/x.db"}, "/dev/null|unable to open"),
    "no key beyond loopback": ({"BASE_URL": "https://book.example.com"}, "HALFPAST_SECRET_KEYS"),
}


@pytest.mark.parametrize(("variables", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_used_is_told_in_one_line(one_shell: Shell, variables: dict[str, str], words: str) -> None:
    assert re.search(words, one_shell.refusal("orgs", "create", "--name", "X", **variables))


def test_an_old_database_is_told_the_mend(tmp_path: Path) -> None:
    for arguments in (("tokens", "create", "--email", "x@example.com"), ("serve", "--port", "1"), ("worker",)):
        assert "Run: halfpast migrate" in Shell(tmp_path).refusal(*arguments)


def test_the_demo_stays_on_loopback(one_shell: Shell) -> None:
    refusal = one_shell.refusal("demo", BASE_URL="https://book.example.com", SECRET_KEYS="a-key-that-is-long-enough")
    assert "loopback" in refusal


WRONG_CALLS = (
    (),
    ("nonsense",),
    ("orgs",),
    ("orgs", "create"),
    ("users", "create", "--email", "x@example.com"),
    ("tokens", "create", "--email"),
    ("feeds", "create", "--email", "o@example.com", "--kind", "nonsense"),
    ("feeds", "create", "--email", "o@example.com", "--future-days", "0"),
    ("feeds", "create", "--email", "o@example.com", "--alarms", "soon"),
    ("serve", "--port", "many"),
    ("serve", "--port", "70000"),
    ("serve", "--workers", "0"),
    ("migrate", "--now"),
)


@pytest.mark.parametrize("arguments", WRONG_CALLS, ids=" ".join)
def test_a_wrong_call_is_exit_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = Shell(tmp_path).run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: halfpast" in done.stderr
    assert not list(tmp_path.iterdir()), "nothing was made"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = Shell(tmp_path).run("--help")
    assert done.returncode == 0
    names = "serve worker migrate demo doctor reseal export erase orgs users tokens app-passwords feeds"
    commands = names.split()
    assert [command for command in commands if command not in done.stdout] == []


def test_secrets_are_taken_from_standard_input_alone(tmp_path: Path) -> None:
    """Arguments show in the list of processes and in the shell's history."""
    for command in ("users", "app-passwords"):
        text = Shell(tmp_path).run(command, "create", "--help").stdout
        assert not re.search(r"--(password|value)(?!-stdin)", text)


KEY, OTHER_KEY = "a-key-that-is-long-enough", "another-key-that-is-long-enough"


@pytest.fixture
def with_feed(database_url: str, tmp_path: Path) -> Shell:
    """Over a database with a feed sealed with `KEY`, on each engine."""
    shell = migrated(tmp_path, DATABASE_URL=database_url, SECRET_KEYS=KEY)
    shell.value("orgs", "create", "--name", "Acme")
    user = ("users", "create", "--email", "o@example.com", "--name", "O", "--role", "owner", "--password-stdin")
    shell.value(*user, given="correct-horse-battery\n")
    shell.value("feeds", "create", "--email", "o@example.com")
    (tmp_path / "var").mkdir()
    return shell


def test_a_key_that_is_missing_is_told_in_one_line(with_feed: Shell) -> None:
    """Whatever meets something sealed with it; serving and working do not even begin."""
    for arguments in (
        ("serve", "--port", "1"),
        ("worker",),
        ("feeds", "create", "--email", "o@example.com"),
        ("reseal",),
    ):
        refusal = with_feed.refusal(*arguments, SECRET_KEYS=OTHER_KEY)
        assert re.search("sealed with the key [0-9a-f]{8}, which is not known.*HALFPAST_SECRET_KEYS", refusal)


def test_the_doctor_names_the_key_that_is_missing(with_feed: Shell) -> None:
    ill = with_feed.run("doctor", SECRET_KEYS=OTHER_KEY)
    assert (ill.returncode, ill.stdout) == (1, "")
    assert re.search("FAIL keys: .*feeds.* sealed with the key [0-9a-f]{8}, .*HALFPAST_SECRET_KEYS", ill.stderr)


def test_a_key_is_retired(with_feed: Shell) -> None:
    """The new one first, what is stored sealed anew under it, and the old one dropped."""
    both = {"SECRET_KEYS": f"{OTHER_KEY},{KEY}"}
    assert re.search("ok   keys: .*1 feeds.*halfpast reseal", with_feed.run("doctor", **both).stderr)
    for printed in ("2\n", "0\n"):  # the feed, and the secret of the built-in calendar, which is empty
        done = with_feed.run("reseal", **both)
        assert (done.returncode, done.stdout) == (0, printed), done.stderr
    assert "halfpast reseal" not in with_feed.run("doctor", **both).stderr
    done = with_feed.run("feeds", "create", "--email", "o@example.com", SECRET_KEYS=OTHER_KEY)
    assert done.returncode == 0, done.stderr
    assert with_feed.run("doctor", SECRET_KEYS=OTHER_KEY).returncode == 0


def test_keys_may_be_set_after_the_first_run(tmp_path: Path) -> None:
    """The one kept in the data folder goes on opening what it sealed."""
    shell = migrated(tmp_path)
    assert shell.run("demo").returncode == 0
    done = shell.run("feeds", "create", "--email", "owner@example.com", SECRET_KEYS=KEY)
    assert done.returncode == 0, done.stderr
    (tmp_path / "var/secret-key").unlink()
    assert "secret-key" in shell.refusal("feeds", "create", "--email", "owner@example.com", SECRET_KEYS=KEY)
