"""Strange solutions of 07c."""
