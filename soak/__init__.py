"""A studio's life in a few minutes: random changes under a running daemon, held against a cold build."""
