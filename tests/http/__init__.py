"""The JSON API and the pages, over HTTP."""
