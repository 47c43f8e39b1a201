"""Pixel data of images (PS3.3 C.7.6.3, PS3.5 section 8): decoded, and shown as a display or a browser shows it.

Nothing here trusts what it is given. It runs in the limited processes of `kit/cpu.py`, and never in a door.
"""
