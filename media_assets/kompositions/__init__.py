"""Timeline documents and how they become videos."""
