"""De-identified copies of stored objects (PS3.15 Annex E), for research, teaching and reading elsewhere.

`engine` changes one data set by the rules of a project, `masking` what is burned into its pixels, `copying` makes the
new file in a process with limits. A project names purpose, profile and options and is approved by a second person; an
export of its studies is a job whose result is a ZIP with a manifest.
"""
