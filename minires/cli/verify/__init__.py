"""minires exercises verify: did the learner's own code train this network? Each check says what it checked and what it found.

evidence  what is in the folder of a run           replay   steps that are run again, in a process of their own
records   do settings, card, log and losses agree  code     whose code it is, and do the claims pass on it
training  start, replays, and what lies between    outcome  weights, predictions and accuracy
verdict   all of it, with a line per check
"""
