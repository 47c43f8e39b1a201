"""The diagnostic viewer under `/viewer/`: OHIF, prebuilt by its authors, prepared once for this service.

`package` fetches the pinned package by npm, `patches` makes it work below `/viewer/`, `build` puts the result where
`place` finds it, `files` is what we add. Nothing here runs while a request is answered.
"""
