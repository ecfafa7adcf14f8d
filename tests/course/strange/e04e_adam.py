"""Strange solutions of 04e."""
