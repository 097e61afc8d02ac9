"""What there is, what it was made from and why: derived from sidecars and the event log, never stored."""
