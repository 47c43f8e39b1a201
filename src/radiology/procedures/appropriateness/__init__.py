"""The check at order time: whether an examination is safe and appropriate for this patient, and what would be better.

`evaluate(question, rules)` is pure: no clock, no database, the same answer for the same question. What it knows stands
in `rules.json`, a set of rules with a version; `golden.json` says what must be answered to whom.
"""
