"""Strange solutions of 05f."""
