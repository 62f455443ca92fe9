"""What calendar clients see: feeds and CalDAV."""
