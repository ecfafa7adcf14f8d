"""Strange solutions of 00a."""
