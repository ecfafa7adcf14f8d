"""Strange solutions of 01b."""
