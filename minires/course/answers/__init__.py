"""What is held against a learner's answer: references, where the library is none, and known mistakes. Do not peek."""
