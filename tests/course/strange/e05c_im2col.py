"""Strange solutions of 05c."""
