"""Strange solutions of 08f."""
