"""Scheduling by iTIP (RFC 5546) as a calendar server does it (RFC 6638): pure, objects in, messages and objects out.

`addresses` says who is meant, `objects` reads invitations, `times` says when they are, `organizer` and `attendee` what
a change means for the others, `delivery` what a message does to the calendar of whom it reaches. `free_busy` answers
lookups, `telling` says for people what a message is about.
"""
