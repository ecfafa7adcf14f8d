"""Strange solutions of 07e."""
