"""The course: exercises that tests verify, and the learner's own functions at work in the engine."""

from minires.course.check import Check, Wrong

__all__ = ["Check", "Wrong"]
