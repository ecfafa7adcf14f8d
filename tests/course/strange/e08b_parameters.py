"""Strange solutions of 08b."""
