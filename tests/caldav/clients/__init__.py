"""What real clients send, replayed: one file a client, with the requests in the order that it sends them.

`device` sends them and keeps a transcript of the answers, which `golden/` holds in a form that reads well in diffs.
`REWRITE_GOLDEN=1 make test PYTEST_ARGS='-k replayed'` writes these files anew; the diff is then for people to judge.
"""
