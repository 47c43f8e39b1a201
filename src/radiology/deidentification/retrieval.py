"""One object de-identified while somebody waits for it: by the research profile, with a key that no project has."""

from collections.abc import Sequence

from radiology.app import App
from radiology.deidentification import region_queries
from radiology.deidentification.keys import Seal
from radiology.deidentification.originals import copy_in, instance_of
from radiology.deidentification.pixel_policy import Withheld
from radiology.deidentification.rules import DeviceRegions, Profile, Rules
from radiology.errors import NotAcceptable, NotSupported, Unprocessable
from radiology.kit import cpu
from radiology.kit.objects import ObjectWriter
from radiology.studies.queries.retrieve import StoredInstance

_PURPOSE = "retrieval"


async def masked_regions(app: App) -> list[DeviceRegions]:
    """Where devices burn text into their images."""
    async with app.db.reading() as tx:
        return await region_queries.regions(tx)


def deidentified(
    app: App, instance: StoredInstance, regions: Sequence[DeviceRegions]
) -> tuple[ObjectWriter, StoredInstance]:
    """The de-identified object, and its file, which the caller discards. Blocks: for a thread.

    Raises NotAcceptable where it cannot be made or may still show who it is, Unavailable.
    """
    key = Seal.of_projects(app.settings).derived(_PURPOSE)
    writer = app.objects.create(write_behind=False)
    try:
        rules = Rules(Profile.RESEARCH, key, regions=tuple(regions))
        made = copy_in(cpu.processes, app.objects, instance, writer.path, rules)
        if isinstance(made, Withheld):
            raise NotAcceptable(f"The object is not de-identified here. {made.reason}")
        return writer, instance_of(writer.path)
    except (NotSupported, Unprocessable) as error:
        writer.discard()
        raise NotAcceptable(f"The object is not de-identified here. {error.sentence}") from error
    except BaseException:
        writer.discard()
        raise
