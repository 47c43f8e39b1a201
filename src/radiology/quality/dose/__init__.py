"""Doses against diagnostic reference levels (ICRP 135): medians of facilities, and single examinations far above."""
