"""Strange solutions of 06c."""
