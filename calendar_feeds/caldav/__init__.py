"""The CalDAV server: an ASGI application, one file a method.

`app` takes a request in, `auth` finds out who asks, `resources` what the address means, and the method's file answers:
`options propfind proppatch report get put delete mkcalendar`. Reports are `query multiget sync principals`. What they
share: `properties` (what a resource says of itself), `acl` (what its owner may do), `filters` (RFC 4791 §9.7), `xml`
(reading, writing) and `messages` (requests, answers, refusals).
"""
