"""What is done with patients, one file for each verb."""
