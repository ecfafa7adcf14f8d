"""Strange solutions of 06e."""
