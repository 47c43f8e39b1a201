"""How long studies are kept and what becomes of them then, whether they are what was stored, and how the disk fills.

Nothing is removed before an administrator has switched that on. Then two persons remove: one proposes what is over its
time, another approves. It lies in the recycle bin, hidden by a rejection note of the title 113039 Data Retention Policy
Expired (IHE IOCM), until the days of the bin are over; every step before looks again at what keeps a study.
"""
