"""Halfpast: scheduling links that book into the calendars people already have."""
