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


def test_most_studies_have_an_order_and_the_latest_wait_for_a_person(settings: Settings) -> None:
    with running_node(settings) as node:
        node.register(ApplicationEntity(demo.AE_TITLE))
        settings = settings.model_copy(update={"dicom_port": node.port, "data_dir": node.app.settings.data_dir})
        node.wait(accounts.make_account(node.app, demo.ACCOUNT, role="consultant"))
        demo.load(settings)
        matches = node.value("SELECT jsonb_object_agg(match, n) FROM (SELECT match, count(*) AS n FROM imaging_studies"
                             " WHERE number_of_instances > 0 GROUP BY match) AS kinds")  # fmt: skip
        assert matches["none"] == 3
        assert matches["exact"] == 27
        assert node.value("SELECT count(*) FROM bookings WHERE status = 'booked'") == 3
        assert node.value("SELECT count(*) FROM devices JOIN facilities ON code = facility_code") == 7
        assert node.value("SELECT array_agg(DISTINCT flag) FROM imaging_studies, unnest(flags) AS flag") is None
        assert node.value("SELECT count(*) FROM quarantine") == 0
