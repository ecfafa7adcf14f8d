"""Strange solutions of 05d."""
