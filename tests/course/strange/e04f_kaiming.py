"""Strange solutions of 04f."""
