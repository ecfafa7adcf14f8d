"""Strange solutions of 01c."""
