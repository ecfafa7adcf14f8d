"""Strange solutions of 04h."""
