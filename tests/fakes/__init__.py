"""Outside services, as small servers with state; everything said to them and by them is held against its contract."""
