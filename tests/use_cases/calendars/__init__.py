"""Use cases of connected calendars, against a real CalDAV server."""
