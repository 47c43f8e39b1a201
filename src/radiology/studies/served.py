"""A stored object as it is served: itself, or where its header was put right a file of that header and its pixels.

Everything that sends an object asks here first, and goes on with what it gets as if it were stored so.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.part10 import encode_file_meta
from radiology.studies.corrections import correct
from radiology.studies.explicit_vr import bytes_before_value, edited
from radiology.studies.queries.retrieve import StoredInstance


@contextmanager
def as_served(objects: LocalObjects, instance: StoredInstance) -> Generator[StoredInstance]:
    """The instance whose bytes are to be sent, for as long as the block lasts. Blocks: for a thread.

    Raises NotFound, Unavailable where the stored object is damaged or the disk is full.
    """
    if instance.corrections is None:
        yield instance
        return
    meta = encode_file_meta(instance.sop_class_uid, instance.sop_instance_uid, instance.transfer_syntax_uid, "")
    with objects.create(write_behind=False) as writer:
        writer.write(meta)
        chunks = edited(objects, instance, partial(correct, corrections=instance.corrections))
        writer.write(next(chunks))
        pixels = writer.size_bytes + bytes_before_value(instance)
        for chunk in chunks:
            writer.write(chunk)
        yield replace(
            instance,
            object_key=str(writer.path),
            size_bytes=writer.size_bytes,
            data_set_offset=len(meta),
            pixel_data_offset=None if instance.pixel_data_offset is None else pixels,
            corrections=None,
        )
