"""Local doubles of what lies outside: Xendit and a mail server, as real processes.

Used by the local run and by tests over HTTP and SMTP. Production code never imports this package.
"""
