"""Who may see and do what.

An `Actor` is whoever acts: a person with an account, a program with a token, or an application entity on the DICOM
network. Permissions are one enum, roles are sets of them. Loading is checking: queries take `visible_to=actor`.
"""
