"""Strange solutions of 04d."""
