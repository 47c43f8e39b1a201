"""What is read next, by whom and until when: turnaround, claims, assignment, batches, second opinions."""
