"""Pages behind the sign-in, and the sign-in itself. One module a subject; `routes` puts them together."""
