"""Strange solutions of 08d."""
