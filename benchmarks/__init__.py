"""Measurements, not tests: how long import and close take beside a bare scan of the same file. Run by `make bench`."""
