"""Tests of media_assets; real ffmpeg, DuckDB, Dagster and files."""
