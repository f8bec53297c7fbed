"""A stand-in for Xendit's invoice API, its hosted page and its webhooks."""
