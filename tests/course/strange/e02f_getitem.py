"""Strange solutions of 02f."""
