"""Where files live: the output store, the source catalogue, locks."""
