"""Strange solutions of 02a."""
