"""The demonstration's account sees every sample study, and that of the reception sees sensitive ones masked."""

from node import running_node
from radiology import demo
from radiology.access import accounts
from radiology.access.model import ROLES, Actor, Role
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from radiology.studies.queries import read


def test_the_account_of_the_demonstration_treats_the_sample_patients(settings: Settings) -> None:
    with running_node(settings) as node:
        node.register(ApplicationEntity(demo.AE_TITLE))
        settings = settings.model_copy(update={"dicom_port": node.port, "data_dir": node.app.settings.data_dir})
        node.wait(accounts.make_account(node.app, demo.ACCOUNT, role="consultant"))
        demo.load(settings)
        uids = node.value("SELECT array_agg(study_instance_uid) FROM imaging_studies WHERE sensitive")

        async def masked(role: Role, name: str) -> int:
            actor = Actor(f"account:{name}", name, ROLES[role], role=role)
            async with node.app.db.transaction() as tx:
                return sum([(await read.look_up(tx, uid, visible_to=actor)).is_masked for uid in uids])

        assert uids
        assert node.wait(masked(Role.CONSULTANT, demo.ACCOUNT)) == 0
        assert node.wait(masked(Role.RECORDS, "reception")) == len(uids)
