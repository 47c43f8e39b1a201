"""Unified procedure steps: tasks such as reading or post-processing, from scheduled to completed (PS3.4 annex CC).

A workitem is pushed onto the list, claimed by its performer with a Transaction UID that nobody else knows, and watched
by subscribers, who are told of every change by N-EVENT-REPORT. The doors call `actions` and `subscriptions`.
"""
