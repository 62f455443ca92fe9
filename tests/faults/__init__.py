"""What happens when parts fail: races, kills, broken neighbours."""
