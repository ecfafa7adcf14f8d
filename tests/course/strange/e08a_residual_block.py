"""Strange solutions of 08a."""
