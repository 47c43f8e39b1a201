"""`radi ae`: the registry at the command line, through the actions of REST."""

import json
from collections.abc import Iterator

import pytest
from typer.main import get_command

from command_line import radi
from node import Node, free_port, running_node
from radiology.application_entities.schemas import ApplicationEntityIn
from radiology.cli.ae import app as ae_app
from radiology.settings import Settings


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def test_a_record_is_set_changed_in_part_shown_and_removed(node: Node) -> None:
    settings, hosts = node.app.settings, "192.168.10.21, 10.1.0.0/16"
    made = radi(settings, "ae", "set", "CT1", "--host", "192.168.10.21", "--port", "104", "--hosts", hosts,
                "--services", "echo,store,mwl", "--move-destination", "--facility-code", "DMCH",
                "--max-associations", "2")  # fmt: skip
    assert (made.code, made.err) == (0, "")
    changes = ("--tls", "required", "--max-associations", "0", "--facility-code", "", "--no-move-destination")
    assert radi(settings, "ae", "set", "CT1", *changes).code == 0
    record = json.loads(radi(settings, "ae", "show", "CT1", "--json").out)
    assert record["aeTitle"] == "CT1"
    assert (record["port"], record["hosts"]) == (104, ["192.168.10.21", "10.1.0.0/16"])
    assert (record["services"], record["moveDestination"]) == (["echo", "store", "mwl"], False)
    assert (record["tls"], record["maxAssociations"], record["facilityCode"]) == ("required", None, None)

    head, line = radi(settings, "ae", "list").out.splitlines()[:2]
    assert head.split()[:2] == ["AE", "TITLE"]
    assert line.split()[:3] == ["CT1", "192.168.10.21", "104"]
    assert radi(settings, "ae", "remove", "CT1").code == 0
    statement = "SELECT string_agg(actor || ' ' || action, ', ' ORDER BY id) FROM audit_events WHERE subject = 'CT1'"
    by_system = ("register", "register", "forget")
    assert node.value(statement) == ", ".join(f"system application-entity.{verb}" for verb in by_system)


def test_a_refusal_names_each_field_and_changes_nothing(settings: Settings) -> None:
    refused = radi(settings, "ae", "set", "CT1", "--services", "echo,paint", "--port", "99999")
    assert (refused.code, refused.out) == (2, "")
    assert "services" in refused.err
    assert "port" in refused.err
    assert "Traceback" not in refused.err
    together = radi(settings, "ae", "set", "CT1", "--hosts", "10.0.0.0/99", "--move-destination")
    assert together.code == 2
    assert "hosts" in together.err
    assert "moveDestination" in together.err
    absent = radi(settings, "ae", "show", "CT1")
    assert (absent.code, absent.out) == (2, "")
    assert "CT1" in absent.err


def test_a_secret_comes_by_the_input_and_is_never_shown(node: Node) -> None:
    settings = node.app.settings
    web = ("--dicomweb-url", "https://pacs.example.org/dicom-web", "--dicomweb-secret-file", "-")
    assert radi(settings, "ae", "set", "WEB", *web, entered="hidden\n").code == 0
    assert radi(settings, "ae", "set", "WEB", "--description", "গবেষণা").code == 0
    assert node.value("SELECT dicomweb_secret FROM application_entities WHERE ae_title = 'WEB'") == "hidden"
    shown = radi(settings, "ae", "show", "WEB")
    assert "গবেষণা" in shown.out
    assert "hidden" not in shown.out + radi(settings, "ae", "list", "--json").out


def test_an_echo_says_whether_a_machine_is_there(node: Node) -> None:
    settings = node.app.settings
    radi(settings, "ae", "set", settings.ae_title, "--host", "127.0.0.1", "--port", str(node.port))
    radi(settings, "ae", "set", "NOBODY", "--host", "127.0.0.1", "--port", str(free_port()))
    answered = radi(settings, "ae", "echo", settings.ae_title)
    assert answered.code == 0, answered
    assert "answers" in answered.out
    silent = radi(settings, "ae", "echo", "NOBODY")
    assert silent.code == 1
    assert "does not answer" in silent.out


def test_there_is_an_option_for_each_field_of_the_record() -> None:
    options = {parameter.name for parameter in get_command(ae_app).commands["set"].params}  # type: ignore[attr-defined]
    fields = set(ApplicationEntityIn.model_fields) - {"dicomweb_secret"} | {"dicomweb_secret_file"}
    assert fields <= options
    assert options - fields <= {"ae_title", "help"}
