"""Strange solutions of 08c."""
