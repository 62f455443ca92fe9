"""Adapters to the outside: calendars, mail, and what they share."""
