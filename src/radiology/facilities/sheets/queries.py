"""SQL of what is given out as spreadsheets: the columns are those that are taken over."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where

_ROWS: Final[Mapping[str, tuple[LiteralString, LiteralString, LiteralString]]] = {
    "facilities": ("SELECT to_jsonb(t) FROM facilities AS t WHERE ", "t.code", ' ORDER BY t.code COLLATE "C"'),
    "devices": (
        """SELECT to_jsonb(t) || jsonb_build_object('name', coalesce(nullif(t.name, ''), t.ae_title, ''),
            'procedures', array_to_string(t.procedures, '; ')) FROM devices AS t WHERE """,
        "t.facility_code",
        ' ORDER BY t.facility_code COLLATE "C", t.number',
    ),
    "operators": (
        """SELECT to_jsonb(t) || jsonb_build_object('modalities', array_to_string(t.modalities, '; '))
        FROM operators AS t WHERE """,
        "t.facility_code",
        ' ORDER BY t.facility_code COLLATE "C", t.licence_number COLLATE "C"',
    ),
}
#: What lies in another place stands behind it.
_PLACES: Final[LiteralString] = """
    WITH RECURSIVE below AS (
        SELECT code, 0 AS depth FROM geocodes WHERE parent IS NULL
        UNION ALL
        SELECT g.code, below.depth + 1 FROM geocodes AS g JOIN below ON g.parent = below.code
    )
    SELECT to_jsonb(g)
    FROM below
    JOIN geocodes AS g ON g.code = below.code
    ORDER BY below.depth, g.code
"""


async def rows(tx: Transaction, kind: str, *, visible_to: Actor) -> list[dict[str, Any]]:
    """All rows of a kind that belong to the actor's facilities, by column."""
    if kind == "places":
        return await tx.values(_PLACES)
    selected, facility, ordered = _ROWS[kind]
    where = Where()
    visible_to.add_facility(where, facility)
    return await tx.values(selected + where.condition + ordered, **where.parameters)
