"""The catalogue of procedures: codes, names, preparation, turnaround, prices, and what speaks for or against one."""
