"""Benchmarks: paired runs, medians and ratios. `make bench`."""
