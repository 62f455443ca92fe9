"""Pages: HTML first, made quick by small modules. Handlers parse, call a use case and fill a template."""
