"""Media Assets: media processing as partitioned, versioned data assets on Dagster."""

__version__ = "0.1.0"
