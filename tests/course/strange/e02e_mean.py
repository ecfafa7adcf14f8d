"""Strange solutions of 02e."""
