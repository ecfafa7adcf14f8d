"""Strange solutions of 02h."""
