"""Analytics as assets: events into the warehouse, and each question that is asked of them."""
