"""XML of WebDAV: reading what strangers send, within bounds, and writing answers as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from calendar_feeds.messages import Refusal

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CALENDARSERVER = "http://calendarserver.org/ns/"
APPLE = "http://apple.com/ns/ical/"
TWISTED = "http://twistedmatrix.com/xml_namespace/dav/"

PREFIXES = {DAV: "D", CALDAV: "C", CALENDARSERVER: "CS", APPLE: "A"}
_DECLARATIONS = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in PREFIXES.items())
PROLOGUE = '<?xml version="1.0" encoding="utf-8"?>\n'
MULTISTATUS = f"{PROLOGUE}<D:multistatus{_DECLARATIONS}>"
MULTISTATUS_END = "</D:multistatus>"

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters no XML 1.0 document can hold, escaped or not."""


def declarations() -> str:
    """The declarations of the prefixes that answers use, for a root element."""
    return _DECLARATIONS


Element = etree._Element  # noqa: SLF001  # lxml has no public name for its type


def parse(body: bytes) -> Element | None:
    """The root of a request body, None for an empty one. Whatever cannot be read is a 400; nothing outside the body is
    ever loaded, and a document type, which no WebDAV request has, is refused."""
    if not body.strip():
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Refusal(400, detail=f"The request body is not well-formed XML: {str(error)[:200]}") from error
    if root.getroottree().docinfo.doctype:
        raise Refusal(400, detail="The request body must not have a document type.")
    return root


def name(local: str, namespace: str = DAV) -> str:
    """A name in lxml's notation."""
    return f"{{{namespace}}}{local}"


def children(element: Element) -> Iterable[Element]:
    """Child elements (no entity references, which lxml leaves in place)."""
    return (child for child in element if isinstance(child.tag, str))


def names_in(element: Element | None) -> list[str]:
    """The names of the child elements, each once, in their order."""
    return [] if element is None else list(dict.fromkeys(str(child.tag) for child in children(element)))


def text_of(element: Element | None) -> str:
    """The text inside, stripped."""
    return "" if element is None else (element.text or "").strip()


def text(value: str) -> str:
    """Character data. Carriage returns are written as references, or parsers would swallow them."""
    if "&" in value or "<" in value or ">" in value:
        value = escape(value)
    return value.replace("\r", "&#13;")


def element(qualified: str, content: str = "", attributes: str = "") -> str:
    """An element by its name in lxml's notation; `content` is XML, `attributes` begins with a space."""
    opening, closing = _tags(qualified)
    return f"{opening}{attributes}>{content}{closing}" if content else f"{opening}{attributes}/>"


@lru_cache(maxsize=1000)
def _tags(qualified: str) -> tuple[str, str]:
    """The opening tag without its end, and the closing one; names of other people's namespaces declare them."""
    namespace, _, local = qualified[1:].rpartition("}") if qualified.startswith("{") else ("", "", qualified)
    prefix = PREFIXES.get(namespace)
    if prefix is not None:
        return f"<{prefix}:{local}", f"</{prefix}:{local}>"
    if namespace:
        return f"<X:{local} xmlns:X={quoteattr(namespace)}", f"</X:{local}>"
    return f"<{local}", f"</{local}>"


def hrefs(*addresses: str) -> str:
    """DAV:href elements."""
    return "".join(f"<D:href>{text(address)}</D:href>" for address in addresses)


def error_body(condition: str, detail: str) -> bytes:
    """The body of a refusal (RFC 4918 §16): the precondition element, and a sentence for people in the element that
    Apple's server has for it and its clients show. Whatever else is in a DAV:error counts as a precondition (§14.5)."""
    told = f'<T:error-description xmlns:T="{TWISTED}">{text(detail)}</T:error-description>' if detail else ""
    return f"{PROLOGUE}<D:error{_DECLARATIONS}>{condition}{told}</D:error>".encode()
