"""Strange solutions of 03c."""
