"""The rules of scheduling: pure functions over frozen values, in epoch seconds UTC; no clock, no I/O, no framework."""
