"""Known mistakes that a learner's answer is compared with, and references where the library has none. Do not peek."""
