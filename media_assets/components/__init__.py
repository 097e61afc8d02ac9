"""Dagster components: assets made from YAML."""
