"""Strange solutions of 05b."""
