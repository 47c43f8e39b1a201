"""Objects that are held back: a person decides whether they are of the study, a study of their own, or nothing."""
