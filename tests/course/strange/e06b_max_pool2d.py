"""Strange solutions of 06b."""
