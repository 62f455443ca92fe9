"""What a person may do with a resource of their own, told truthfully (RFC 3744).

Nobody has rights on another person's resources, so these are always the owner's: everybody else is answered as if there
were nothing. A calendar shown as writable must be so, and one shown as read-only must not say any word of writing:
clients go by that (Thunderbird by `write-properties` already).
"""

from __future__ import annotations

from app.domain.calendars import Calendar
from calendar_feeds.caldav.xml import hrefs
from calendar_feeds.messages import Refusal

READ = ("D:read", "C:read-free-busy", "D:read-acl", "D:read-current-user-privilege-set")
WRITE = ("D:write", "D:write-content", "D:write-properties", "D:bind", "D:unbind")

SUPPORTED = (
    "<D:supported-privilege><D:privilege><D:all/></D:privilege><D:abstract/><D:description>Everything</D:description>"
    "<D:supported-privilege><D:privilege><D:read/></D:privilege><D:description>Read</D:description>"
    "<D:supported-privilege><D:privilege><C:read-free-busy/></D:privilege>"
    "<D:description>Read busy times</D:description></D:supported-privilege></D:supported-privilege>"
    "<D:supported-privilege><D:privilege><D:write/></D:privilege><D:description>Write</D:description>"
    + "".join(
        f"<D:supported-privilege><D:privilege><{name}/></D:privilege><D:description>{told}</D:description>"
        "</D:supported-privilege>"
        for name, told in (
            ("D:write-content", "Change objects"),
            ("D:write-properties", "Change properties"),
            ("D:bind", "Add objects"),
            ("D:unbind", "Remove objects"),
        )
    )
    + "</D:supported-privilege>"
    "<D:supported-privilege><D:privilege><D:read-acl/></D:privilege><D:description>Read the rights</D:description>"
    "</D:supported-privilege>"
    "<D:supported-privilege><D:privilege><D:read-current-user-privilege-set/></D:privilege>"
    "<D:description>Read one's own rights</D:description></D:supported-privilege></D:supported-privilege>"
)


def privileges(calendar: Calendar | None) -> tuple[str, ...]:
    """The owner's privileges on a collection and its objects; on what is above (None) nobody may write."""
    return READ if calendar is None or calendar.read_only else READ + WRITE


def privilege_xml(calendar: Calendar | None) -> str:
    """The content of DAV:current-user-privilege-set."""
    return "".join(f"<D:privilege><{name}/></D:privilege>" for name in privileges(calendar))


def acl_xml(owner: str, calendar: Calendar | None) -> str:
    """The content of DAV:acl: one entry, which cannot be changed."""
    return (
        f"<D:ace><D:principal>{hrefs(owner)}</D:principal><D:grant>{privilege_xml(calendar)}</D:grant>"
        "<D:protected/></D:ace>"
    )


def need_privilege(href: str, privilege: str, detail: str) -> Refusal:
    """403 with DAV:need-privileges (RFC 3744 §7.1.1), which tells clients to drop the change."""
    return Refusal(
        403,
        f"<D:need-privileges><D:resource>{hrefs(href)}<D:privilege><{privilege}/></D:privilege></D:resource>"
        "</D:need-privileges>",
        detail,
    )
