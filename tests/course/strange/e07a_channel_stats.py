"""Strange solutions of 07a."""
