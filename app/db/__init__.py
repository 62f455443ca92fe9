"""Tables, repositories, the unit of work, the double-booking guard and the outbox, on SQLite and PostgreSQL alike."""
