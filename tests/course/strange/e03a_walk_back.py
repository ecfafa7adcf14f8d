"""Strange solutions of 03a."""
