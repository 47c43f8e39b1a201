"""What irradiated whom, and how much: one record per irradiation event, and their sum per examination.

A dose is read from the X-Ray Radiation Dose Report (IHE REM), where there is none from what the modality said of its
performed procedure step, where it said nothing from the headers of the images; never from a picture of a dose sheet.
All of it is derived from what is stored, and made anew when that changes.
"""
