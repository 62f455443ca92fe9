"""The roles of people, in words."""

from __future__ import annotations

ROLES = (
    ("owner", "Owner", "has links and is booked through them"),
    ("employee", "Employee", "is assigned work and sees their own bookings"),
    ("admin", "Admin", "runs the organization and sees everything in it"),
)
