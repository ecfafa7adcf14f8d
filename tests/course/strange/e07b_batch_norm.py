"""Strange solutions of 07b."""
