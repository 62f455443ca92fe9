"""The documents: links lead somewhere, each client has its steps, and examples for proxies keep what CalDAV needs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROXIES = ("Caddyfile", "nginx.conf", "apache.conf")


def _headings(path: Path) -> set[str]:
    """The anchors of a document."""
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (path.parent / name) if name else path
        assert found.exists(), target
        assert not anchor or anchor in _headings(found), target


@pytest.mark.parametrize(
    "client",
    ["iPhone", "Mac", "Android", "DAVx⁵", "Thunderbird", "CalDav Synchronizer", "Evolution", "GNOME", "Google"],
)
def test_employees_are_told_the_steps_for_each_client(client: str) -> None:
    assert client in (ROOT / "docs/employee-guide.md").read_text()


@pytest.mark.parametrize("name", PROXIES)
def test_an_example_for_a_proxy_lets_clients_through(name: str) -> None:
    text = (ROOT / "docs/reverse-proxy" / name).read_text()
    assert "HALFPAST_BASE_URL=https://" in text
    assert "HALFPAST_TRUSTED_PROXIES" in text
    assert "/.well-known/caldav" in text
    assert re.search(r"50 ?mb|50m|52428800", text, re.IGNORECASE)
    settings = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert not re.search(r"gzip on|encode |SetOutputFilter|limit_except|LimitExcept|Dav On", settings)


def test_the_way_to_the_server_by_dns_is_told() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    assert re.search(r'_caldavs\._tcp\s+IN SRV .*\n_caldavs\._tcp\s+IN TXT +"path=/dav/"', text)
