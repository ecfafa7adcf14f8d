"""Strange solutions of 06a."""
