"""Strange solutions of 04b."""
