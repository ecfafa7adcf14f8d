"""Strange solutions of 02b."""
