"""SQL of patients: `registry` finds and makes them, also for the index writer."""
