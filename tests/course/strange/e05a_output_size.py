"""Strange solutions of 05a."""
