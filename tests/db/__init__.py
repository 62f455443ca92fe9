"""Tables, repositories, guard and outbox on both engines."""
