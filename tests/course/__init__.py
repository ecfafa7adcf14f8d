"""Checks on the checks: what the claims of each exercise accept and reject."""
