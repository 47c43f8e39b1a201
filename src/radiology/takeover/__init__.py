"""Copy a foreign archive: list its studies, copy them study by study, and say of each whether it is whole.

Nothing is ever deleted, here or there. What is known of the foreign archive is kept in tables, so that a copy that was
interrupted goes on where it was. Meanwhile it can be asked for studies that have not come yet, which are fetched when
somebody wants them (`proxy`).
"""
