"""Use cases, over real databases."""
