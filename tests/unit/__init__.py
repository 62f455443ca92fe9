"""The domain, without I/O."""
