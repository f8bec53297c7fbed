"""Money: invoices, callbacks, expiry. Xendit's invoice is the truth, all else only hints."""
