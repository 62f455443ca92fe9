"""Services that send texts to phones."""
