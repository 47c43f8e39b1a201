"""Which protocol an archive of the registry is spoken to with."""

from radiology.application_entities.model import ApplicationEntity
from radiology.remotes.dicomweb import DicomwebArchive
from radiology.remotes.dimse import DimseArchive
from radiology.remotes.model import RemoteArchive
from radiology.settings import Settings


def remote_archive(settings: Settings, entity: ApplicationEntity, *, limit: int = 100) -> RemoteArchive:
    """An archive, over DICOMweb where its record has an address for that. `limit`: what it gives at most at once."""
    kind = DicomwebArchive if entity.dicomweb_url else DimseArchive
    return kind(settings, entity, limit)
