"""Figures: each is measured beside a bare one, in the same run, on the same machine and data."""
