"""What repairs keep of a row: every column that one may change, and nothing that others change by themselves."""

import pytest

from radiology.reconciliation.repairs.relations import INSTANCES, RELATIONS, STUDIES

pytestmark = pytest.mark.anyio

#: Columns of studies that no repair changes, that are counted anew, or that the rules of sensitivity set anew.
LEFT = {
    "id", "study_id", "study_instance_uid", "encounter_id", "modality", "subject_type", "referrer", "interpreter",
    "endpoint", "location", "reason_code", "reason_reference", "series", "instance", "procedure_code", "created_at",
    "updated_at", "metadata", "version", "facility_code", "modalities_in_study", "performers", "interpreters",
    "number_of_series", "number_of_instances", "size_bytes", "last_instance_at", "sensitive_classes",
    "confidentiality", "sensitivity_policies", "withdrawal_asked_by",
}  # fmt: skip


async def columns_of(app, table):
    async with app.db.transaction() as tx:
        return set(
            await tx.values(
                """
                SELECT column_name::text FROM information_schema.columns
                WHERE table_name = %(table)s AND table_schema = 'public' AND is_generated = 'NEVER'
                """,
                table=table,
            )
        )


async def test_every_column_of_a_study_is_kept_or_known_to_be_left(app):
    assert await columns_of(app, "imaging_studies") == LEFT | set(STUDIES.columns)


async def test_an_instance_is_kept_whole(app):
    assert await columns_of(app, "instances") == {"sop_instance_uid", *INSTANCES.columns}


async def test_every_relation_has_the_columns_that_are_kept(app):
    for relation in RELATIONS:
        assert {relation.key, *relation.columns} <= await columns_of(app, relation.name), relation.name
