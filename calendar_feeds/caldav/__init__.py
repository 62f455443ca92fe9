"""The CalDAV server: an ASGI application, one file a method.

`app` takes a request in, `auth` finds out who asks, `resources` what the address means, and the method's file answers:
`options propfind proppatch report get put delete mkcalendar`. Reports are `query multiget free_busy_query sync
principals`. What they share: `properties` (what a resource says of itself), `acl` (what its owner may do), `filters`
and `filter_matching` (RFC 4791 §9.7: read, applied), `outbox` (lookups, RFC 6638 §5), `availability` (RFC 7953),
`calendar_data` (§9.6: the form objects are wanted in), `xml` (reading, writing) and `messages` (requests, answers,
refusals).
"""
