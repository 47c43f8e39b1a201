"""SQL of where devices burn text into their images."""

from dataclasses import dataclass

from radiology.deidentification.model import regions_of
from radiology.deidentification.rules import DeviceRegions
from radiology.kit.db import Transaction, as_json


@dataclass(frozen=True, slots=True)
class _Regions:
    manufacturer: str
    model: str
    rows: int
    columns: int
    rectangles: list[list[int]]


async def regions(tx: Transaction) -> list[DeviceRegions]:
    """Where devices burn text into their images."""
    found = await tx.all(
        _Regions,
        """
        SELECT manufacturer, model, rows, columns, rectangles
        FROM masked_regions
        ORDER BY manufacturer, model, rows, columns
        """,
    )
    return [regions_of(each.manufacturer, each.model, each.rows, each.columns, each.rectangles) for each in found]


async def save_regions(tx: Transaction, device: DeviceRegions, *, by: str) -> None:
    """What holds for images of this device and size from now on."""
    await tx.run(
        """
        INSERT INTO masked_regions (manufacturer, model, rows, columns, rectangles, set_by)
        VALUES (%(manufacturer)s, %(model)s, %(rows)s, %(columns)s, %(rectangles)s, %(by)s)
        ON CONFLICT (manufacturer, model, rows, columns)
            DO UPDATE SET rectangles = excluded.rectangles, set_by = excluded.set_by, set_at = now()
        """,
        manufacturer=device.manufacturer,
        model=device.model,
        rows=device.rows,
        columns=device.columns,
        rectangles=as_json([[each.left, each.top, each.right, each.bottom] for each in device.rectangles]),
        by=by,
    )


async def delete_regions(tx: Transaction, *, manufacturer: str, model: str, rows: int, columns: int) -> int:
    """Forget what is said of a device; returns whether something was."""
    return await tx.run(
        """
        DELETE FROM masked_regions
        WHERE manufacturer = %(manufacturer)s
          AND model = %(model)s
          AND rows = %(rows)s
          AND columns = %(columns)s
        """,
        manufacturer=manufacturer,
        model=model,
        rows=rows,
        columns=columns,
    )
