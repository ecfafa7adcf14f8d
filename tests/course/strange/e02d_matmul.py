"""Strange solutions of 02d."""
