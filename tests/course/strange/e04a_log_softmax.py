"""Strange solutions of 04a."""
