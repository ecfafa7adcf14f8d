"""Strange solutions of 04g."""
