"""Ways to send mail, one module each."""
