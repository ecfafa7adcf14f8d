"""Strange solutions of 02c."""
