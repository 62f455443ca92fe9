"""What Halfpast publishes to calendar clients: secret-address feeds and CalDAV."""
