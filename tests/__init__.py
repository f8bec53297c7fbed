"""Tests of the service, with real processes wherever it meets the world."""
