"""`radi deidentify`: files, or studies of the archive, without whose they are."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from radiology.cli.running import ask, refusals, refuse


class ProfileName(StrEnum):
    """What the result is for."""

    RESEARCH = "research"
    TEACHING = "teaching"
    TELERADIOLOGY = "teleradiology"


def deidentify(
    source: Annotated[Path | None, typer.Argument(exists=True, metavar="FOLDER", help="Files, or one of them.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the files; ZIP for studies.")] = None,
    profile: Annotated[ProfileName | None, typer.Option(help="What the files are for.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Makes pseudonyms, UIDs and dates; made where not there.")
    ] = None,
    keep_faces: Annotated[bool, typer.Option("--keep-faces", help="Also CT and MR of the head.")] = False,
    study: Annotated[list[str] | None, typer.Option(help="A study of the archive, by its UID; several times.")] = None,
    project: Annotated[str | None, typer.Option(help="The approved project whose rules are used for studies.")] = None,
    leave_out_small_groups: Annotated[
        bool, typer.Option("--leave-out-small-groups", help="Leave out studies of who could be recognised.")
    ] = False,
) -> None:
    """De-identify the files of a FOLDER, without the service; or have studies exported by the rules of a project.

    FOLDER needs --out, --profile and --key-file. --study needs --project, and with --out waits for the ZIP. Exit code 1
    says that something is withheld; it is listed with its reason. Done again, it goes on.
    """
    if source is not None and not study and project is None:
        if out is None or profile is None or key_file is None:
            refuse("A folder needs --out, --profile and --key-file.")
        sys.exit(0 if _files(source, out, profile, key_file, keep_faces=keep_faces) else 1)
    if source is not None or not study or project is None:
        refuse("Give a folder of files, or --study with --project.")
    if profile is not None or key_file is not None or keep_faces:
        refuse("Profile, key and faces of an export are those of its project.")
    sys.exit(0 if _export(project, study, out, leave_out_small_groups=leave_out_small_groups) else 1)


def _files(source: Path, out: Path, profile: ProfileName, key_file: Path, *, keep_faces: bool) -> bool:
    with refusals():
        from radiology.deidentification import files, terminal
        from radiology.deidentification.rules import Profile

        files.must_lie_apart(source, out, key_file)
        rules = files.rules_of(Profile(profile.value), key_file, keep_faces=keep_faces)
        return terminal.deidentify_files(source, out, rules)


def _export(project: str, studies: list[str], out: Path | None, *, leave_out_small_groups: bool) -> bool:
    if out is not None and out.exists():
        refuse(f"{out} is there already.")
    from radiology.deidentification import terminal

    return ask(lambda app: terminal.export(app, project, studies, out, leave_out_small_groups=leave_out_small_groups))
