"""`radi objects verify`: what is stored against what was stored, from the command line."""

import pytest

import make
from command_line import radi
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_it_says_what_is_damaged_and_ends_with_1(app: App) -> None:
    first, second = await make.a_study(app, instances=2), await make.a_study(app)
    done = radi(app.settings, "objects", "verify")
    assert (done.code, done.out.startswith("3 objects, ")) == (0, True)
    async with app.db.transaction() as tx:
        key = await tx.value(
            "SELECT object_key FROM instances WHERE sop_instance_uid = %(uid)s", uid=first.sop_instance_uid
        )
    app.objects.path(key).write_bytes(b"\0" * app.objects.size_of(key))
    sound = radi(app.settings, "objects", "verify", "--study", second.study_instance_uid)
    assert (sound.code, sound.out.startswith("1 objects, ")) == (0, True)
    damaged = radi(app.settings, "objects", "verify", "--study", first.study_instance_uid)
    assert (damaged.code, "1 newly found damaged" in damaged.out) == (1, True)
    assert radi(app.settings, "objects", "verify", "--study", "1.2.3").code == 2
