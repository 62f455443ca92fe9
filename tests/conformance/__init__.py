"""Other people's test suites and clients against `halfpast serve`, over both databases.

`packages` installs them (pinned, with hashes) into `.venv-suites/`; `site` serves to them; one file a suite runs it
and reads its results; `scores` holds these to `scores.toml`, below which none may fall. None of their code is here.
"""
