"""Strange solutions of 06d."""
