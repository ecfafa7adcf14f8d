"""Strange solutions of 07d."""
