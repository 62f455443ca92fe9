"""Services that bring messages to devices."""
