"""What comes from outside and names a place: each is tried, and stays where it belongs."""
