"""The dashboard: one page that shows what the events say, with nothing to load from anywhere."""
