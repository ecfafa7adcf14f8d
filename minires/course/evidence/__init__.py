"""Judging the evidence of a run by its numbers and its source text; `minires exercises verify` puts these judgements together."""
