"""What the Google adapters share: events as text and as JSON, calls in threads, tokens, failures."""
