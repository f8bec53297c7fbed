"""A mail catcher: an SMTP server that keeps mails in memory, and a page to read them."""
