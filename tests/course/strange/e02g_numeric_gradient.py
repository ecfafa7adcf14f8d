"""Strange solutions of 02g."""
