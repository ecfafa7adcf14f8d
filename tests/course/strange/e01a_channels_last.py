"""Strange solutions of 01a."""
