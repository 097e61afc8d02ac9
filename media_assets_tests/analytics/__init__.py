"""Tests of events and the warehouse."""
