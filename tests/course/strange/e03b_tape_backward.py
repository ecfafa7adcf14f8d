"""Strange solutions of 03b."""
