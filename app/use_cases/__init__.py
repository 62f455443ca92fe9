"""One verb a module: parse, decide with the domain, commit. Each owns its transaction; no SQL, no HTTP."""
