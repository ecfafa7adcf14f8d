"""Strange solutions of 08e."""
