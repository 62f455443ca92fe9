"""`halfpast`: run the program and manage it from a shell.

Each command prints only what was asked for on standard output, so that a script can take it; everything else goes to
standard error. Exit status 0, 1 with one clear line, or 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import msgspec
from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.config import BadSettings, Settings, load_settings
from app.db.sealed import reseal
from app.db.version import is_current
from app.doctor import examine
from app.domain.errors import HalfpastError, Invalid
from app.domain.feeds import FEED_KINDS, MAX_ALARM_MINUTES, MAX_DAYS, FeedOptions
from app.logs import configure_logging
from app.ports.audit import ORIGIN, Origin
from app.ports.people import User
from app.use_cases import manage_people, manage_tokens
from app.use_cases.demo import load_demo
from app.use_cases.erase_person import erase_everywhere
from app.use_cases.export_person import export_everywhere
from app.use_cases.manage_people import NewUser
from app.wiring import Parts, wire

Command = Callable[[Parts, argparse.Namespace], Awaitable[str | None]]


async def _migrate(parts: Parts, _: argparse.Namespace) -> None:
    from app.db.migrate import migrate  # loads Alembic, which no other command needs

    await migrate(parts.database)
    _say("The database is up to date.")


async def _demo(parts: Parts, _: argparse.Namespace) -> None:
    if not parts.settings.is_loopback:
        raise Invalid("The demo workspace has a known password: it is for loopback addresses only.")
    made = await load_demo(parts.ports)
    _say("The demo workspace is loaded." if made else "There are organizations already; the demo is not loaded.")


async def _orgs_create(parts: Parts, given: argparse.Namespace) -> str:
    return (await manage_people.create_organization(parts.ports, given.name, given.slug)).slug


def _from_stdin() -> str:
    """The first line: a secret that shows neither in the shell's history nor in the list of processes."""
    return sys.stdin.readline().rstrip("\r\n")


async def _users_create(parts: Parts, given: argparse.Namespace) -> str:
    password = _from_stdin() if given.password_stdin else None
    async with parts.ports.read() as work:
        organization = (
            await work.people.organization_by_slug(given.org) if given.org else await work.people.only_organization()
        )
    if organization is None:
        raise Invalid(
            f"There is no organization “{given.org}”."
            if given.org
            else "Say which organization with --org (there is none yet, or there are several)."
        )
    roles = tuple(manage_people.parse_roles(given.role))
    new = NewUser(organization.id, given.email, given.name, roles, given.timezone, password)
    user = await (manage_people.create_user if password else manage_people.invite_user)(parts.ports, new)
    if not password:
        _say(f"An invitation to set a password is on its way to {user.email}.")
    return user.id


async def _tokens_create(parts: Parts, given: argparse.Namespace) -> str:
    user = await manage_people.find_user(parts.ports, given.email)
    return await manage_tokens.create_api_token(parts.ports, user, given.label)


async def _app_passwords_create(parts: Parts, given: argparse.Namespace) -> str:
    user = await manage_people.find_user(parts.ports, given.email)
    value = _from_stdin() if given.value_stdin else None
    return (await manage_tokens.create_app_password(parts.ports, user, given.label, value))[1]


async def _feeds_create(parts: Parts, given: argparse.Namespace) -> str:
    user = await manage_people.find_user(parts.ports, given.email)
    subject_id = None if given.subject is None else await _subject_id(parts, user, given.subject)
    options = FeedOptions.checked(given.past_days, given.future_days, given.alarms)
    feed = await manage_tokens.create_feed(parts.ports, user, given.kind, subject_id=subject_id, options=options)
    return manage_tokens.feed_address(parts.ports, feed)


async def _subject_id(parts: Parts, user: User, text: str) -> str:
    """An id as it is, or that of the link with this slug."""
    with suppress(ValueError):
        return str(UUID(text))
    async with parts.ports.read() as work:
        organization = await work.people.organization(user.org_id)
        context = await work.links.context(f"{organization.slug}.{text}") if organization else None
    if context is None:
        raise Invalid(f"There is no link “{text}”.")
    return context.link.id


async def _export(parts: Parts, given: argparse.Namespace) -> str:
    found = await export_everywhere(parts.ports, given.email)
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


async def _erase(parts: Parts, given: argparse.Namespace) -> str:
    erased = await erase_everywhere(parts.ports, given.email)
    if erased.is_user:
        _say("Somebody signed in with this address: their account is gone.")
    if erased.contacts_left:
        _say("Some hosts have them in an address book of their own: ask them to delete them there.")
    _say(f"Erased: {erased.bookings} bookings, a guest of {erased.guest_of}, {erased.others} other entries.")
    return str(erased.bookings + erased.guest_of)


async def _reseal(parts: Parts, _: argparse.Namespace) -> str:
    return str(await reseal(parts.database, parts.ports.vault))


async def _doctor(parts: Parts, _: argparse.Namespace) -> None:
    findings = await examine(parts)
    for finding in findings:
        _say(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.words}")
    if not all(finding.ok for finding in findings):
        raise Invalid("Something needs mending; see above.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="halfpast", description="Self-hosted scheduling links.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serving = commands.add_parser("serve", help="run the web server and, unless told otherwise, the worker")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=_number(1, 65535), default=8000)
    serving.add_argument("--workers", type=_number(1, 256), default=1)
    serving.add_argument("--no-worker", action="store_true")
    serving.add_argument("--certfile", help="PEM file of a certificate with its chain, to serve https")
    serving.add_argument("--keyfile", help="PEM file of its key")
    serving.add_argument("--reload", action="store_true", help=argparse.SUPPRESS)
    commands.add_parser("worker", help="work off the outbox in a process of its own")

    _command(commands, "migrate", _migrate, "bring the database to this version", migrated=False)
    demo = _command(commands, "demo", _demo, "load the demo workspace into an empty database")
    demo.add_argument("--host", help="where it is going to be served")
    demo.add_argument("--port", type=_number(1, 65535))
    _command(commands, "doctor", _doctor, "check the configuration and every connection", migrated=False)

    words = "seal stored secrets anew under the first key; prints how many"
    _command(commands, "reseal", _reseal, words)

    words = "print all that is known of a person, as JSON"
    _command(commands, "export", _export, words).add_argument("--email", required=True)
    words = "forget a person who booked, everywhere; prints how many bookings knew them"
    _command(commands, "erase", _erase, words).add_argument("--email", required=True)

    orgs = _group(commands, "orgs", "organizations")
    create = _command(orgs, "create", _orgs_create, "make an organization; prints its slug")
    create.add_argument("--name", required=True)
    create.add_argument("--slug")

    users = _group(commands, "users", "users")
    create = _command(users, "create", _users_create, "make a user; prints the id")
    create.add_argument("--email", required=True)
    create.add_argument("--name", required=True)
    create.add_argument("--role", required=True, help="comma list of owner, admin, employee")
    create.add_argument("--org", help="slug of the organization, when there are several")
    create.add_argument("--timezone", default="UTC")
    create.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    tokens = _group(commands, "tokens", "API tokens")
    create = _command(tokens, "create", _tokens_create, "make an API token; prints it")
    create.add_argument("--email", required=True)
    create.add_argument("--label", default="command line")

    passwords = _group(commands, "app-passwords", "CalDAV passwords of devices")
    create = _command(passwords, "create", _app_passwords_create, "make an app password; prints it")
    create.add_argument("--email", required=True)
    create.add_argument("--label", default="command line")
    create.add_argument("--value-stdin", action="store_true", help="keep the value given on standard input")

    feeds = _group(commands, "feeds", "ICS feeds")
    create = _command(feeds, "create", _feeds_create, "make a feed; prints its address")
    create.add_argument("--email", required=True)
    create.add_argument("--kind", choices=FEED_KINDS, default="schedule")
    words = "id of the link, service or resource that the feed is of, or the link's slug"
    create.add_argument("--subject", metavar="ID", help=words)
    create.add_argument("--past-days", type=_number(0, MAX_DAYS), help="how far it reaches back")
    create.add_argument("--future-days", type=_number(1, MAX_DAYS), help="how far it reaches ahead")
    words = "minutes before the start to be reminded at; without a number: never"
    create.add_argument("--alarms", type=_number(0, MAX_ALARM_MINUTES), nargs="*", metavar="MINUTES", help=words)
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{number} is not between {least} and {most}")
        return number

    parse.__name__ = "number"  # what argparse calls it in its errors
    return parse


def _group(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return commands.add_parser(name, help=words).add_subparsers(dest="verb", required=True, metavar="VERB")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Command,
    words: str,
    *,
    migrated: bool = True,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words)
    parser.set_defaults(run=run, migrated=migrated)
    return parser


def _serve(given: argparse.Namespace) -> None:
    from app import serve  # loads the whole web application, which no other command needs

    if given.command == "worker":
        asyncio.run(serve.work(load_settings()))
        return
    serve.serve(
        given.host,
        given.port,
        given.workers,
        with_worker=not given.no_worker,
        tls=(given.certfile, given.keyfile),
        reload=given.reload,
    )


async def _run(settings: Settings, given: argparse.Namespace) -> str | None:
    parts = wire(settings)
    ORIGIN.set(lambda: Origin("command"))
    try:
        if given.migrated and not await is_current(parts.database):
            raise Invalid("The database is not at this version. Run: halfpast migrate")
        run: Command = given.run
        return await run(parts, given)
    finally:
        await parts.close()


def _words(problem: Exception) -> str:
    """One line. What the database says comes with the statement and a link, which are left out."""
    if isinstance(problem, HalfpastError):
        text = problem.detail
    elif isinstance(problem, DBAPIError):
        text = f"The database cannot be used: {problem.orig}"
    elif isinstance(problem, SQLAlchemyError | PostgresError):
        text = f"The database cannot be used: {problem}"
    else:
        text = str(problem)
    return " ".join(text.split())


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """The entry point."""
    given = _parser().parse_args(arguments)
    configure_logging()
    try:
        if given.command in ("serve", "worker"):
            _serve(given)
            return
        host, port = getattr(given, "host", None), getattr(given, "port", None)
        answer = asyncio.run(_run(load_settings(host=host, port=port), given))
    except (HalfpastError, BadSettings, OSError, SQLAlchemyError, PostgresError) as problem:
        _say(f"halfpast: {_words(problem)}")
        raise SystemExit(1) from None
    if answer is not None:
        print(answer)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
