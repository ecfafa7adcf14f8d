"""Strange solutions of 05e."""
