"""Tests of `media_assets.media`, with real files and the real programs."""
