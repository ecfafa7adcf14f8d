"""Strange solutions of 04c."""
