"""Images as a presentation state shows them (PS3.4 N.1): which it names, and what is needed to show one so."""

import asyncio
from collections.abc import Sequence
from typing import Final

import orjson

from radiology.access.model import Actor
from radiology.app import App
from radiology.errors import FieldProblem, Invalid, NotFound
from radiology.pixels import presentation
from radiology.pixels.presentation import Shown
from radiology.pixels.render import Material, StateMaterial
from radiology.studies import pictures
from radiology.studies.queries.retrieve import StoredInstance, Target, instance_with_attributes

_FIRST: Final = 1


def is_state(instance: StoredInstance) -> bool:
    """Whether it is a presentation state of a kind that is applied."""
    return instance.sop_class_uid in presentation.SOP_CLASSES


def images_of(attributes: bytes) -> Sequence[Shown]:
    """The images a presentation state shows, each of their frames that it names by itself. Raises NotFound for none."""
    images = presentation.images_shown(orjson.loads(attributes))
    if not images:
        raise NotFound("This presentation state names no image.")
    return [
        Shown(image.series_instance_uid, image.sop_instance_uid, (frame,))
        for image in images
        for frame in image.frames or (_FIRST,)
    ]


async def materials(
    app: App, actor: Actor, state: StoredInstance, attributes: bytes, wanted: Shown | None
) -> tuple[Material, StateMaterial]:
    """The image that is wanted, else the first one shown, as far as the reader may see it; and the state.

    Raises Invalid for an image that the state does not show, NotFound.
    """
    image = _named(attributes, wanted) if wanted else images_of(attributes)[0]
    target = Target(state.study_instance_uid, image.series_instance_uid, image.sop_instance_uid)
    async with app.db.reading(planned_once=True) as tx:
        instance, of_image = await instance_with_attributes(tx, target, visible_to=actor)
    shown = await asyncio.to_thread(pictures.material, app.objects, instance, of_image, image.frames)
    return shown, await asyncio.to_thread(pictures.state_material, app.objects, state, attributes)


def _named(attributes: bytes, wanted: Shown) -> Shown:
    """The image with the frame that is wanted, else the first of its frames that the state shows. Raises Invalid."""
    for image in presentation.images_shown(orjson.loads(attributes)):
        is_wanted = image.sop_instance_uid == wanted.sop_instance_uid
        if is_wanted and (not image.frames or not wanted.frames or wanted.frames[0] in image.frames):
            frames = wanted.frames or image.frames[:1] or (_FIRST,)
            return Shown(wanted.series_instance_uid, wanted.sop_instance_uid, frames)
    sentence = "names a presentation state that does not show this image, or not this frame of it"
    raise Invalid(f"presentationUID {sentence}.", fields=[FieldProblem("presentationUID", sentence)])
