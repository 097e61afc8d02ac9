"""The Dagster layer, thin: a file per topic."""
