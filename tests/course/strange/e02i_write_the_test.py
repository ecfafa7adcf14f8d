"""Strange solutions of 02i."""
