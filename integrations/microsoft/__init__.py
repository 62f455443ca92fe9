"""Microsoft 365 and Outlook.com: sign-in, Graph, and its events as iCalendar text."""
