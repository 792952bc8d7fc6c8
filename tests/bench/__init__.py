"""Benchmarks: they print JSON and are never part of the test run."""
