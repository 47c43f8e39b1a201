"""`./radi`: installs what is missing and only that, from anywhere, and says in one sentence why it cannot.

The script runs in a copy of the clone's outline, with made-up `python3` and `uv` that write down how they were called.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("sh", "dirname", "cat", "cksum", "mkdir", "rm", "id", "env", "chmod", "touch", "uname")

UV = """#!/bin/sh
echo "uv $*" >> "$RADI_TEST_LOG"
[ "$1" = --version ] && exit 0
bin=$UV_PROJECT_ENVIRONMENT/bin
mkdir -p "$bin"
for name in python radi ruff; do
    printf '#!/bin/sh\\necho "%s $*" >> "$RADI_TEST_LOG"; pwd >> "$RADI_TEST_LOG"\\n' $name > "$bin/$name"
    chmod +x "$bin/$name"
done
echo "cache ${UV_CACHE_DIR:-default}" >> "$RADI_TEST_LOG"
"""

# Answers like a Python of this version; `-m venv` and `-m pip` work or not.
PYTHON = """#!/bin/sh
echo "python3 $*" >> "$RADI_TEST_LOG"
bring() {{
    mkdir -p "$RADI_TEST_BOOT/bin"
    printf '%s' "$1" > "$RADI_TEST_BOOT/bin/$2"
    chmod +x "$RADI_TEST_BOOT/bin/$2"
}}
case "$*" in
-c*) exit {too_old} ;;
-V) echo "Python 3.9.2" ;;
"-m venv"*) [ {venv} = yes ] && bring "#!/bin/sh
exec '$0' \\"\\$@\\"" python ;;
"-m pip --version") [ {pip} = yes ] ;;
"-m pip install"*) bring "$RADI_TEST_UV" uv ;;
esac
"""


class Clone:
    """The outline of a clone, and a PATH that holds nothing but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root, self.path, self.log = folder / "a clone", folder / "bin", folder / "log"
        self.root.mkdir()
        self.path.mkdir()
        shutil.copy(ROOT / "radi", self.root)
        (self.root / "uv.lock").write_text("one\n")
        (self.root / "pyproject.toml").write_text("one\n")
        for tool in TOOLS:
            if found := shutil.which(tool):
                (self.path / tool).symlink_to(found)
        self.python()

    def tool(self, name: str, text: str) -> None:
        (self.path / name).unlink(missing_ok=True)
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def python(self, *, too_old: int = 0, venv: str = "yes", pip: str = "yes") -> None:
        self.tool("python3", PYTHON.format(too_old=too_old, venv=venv, pip=pip))

    def run(self, *words: str, cwd: Path | None = None, **environment: str) -> tuple[int, str, list[str]]:
        """Exit code, what it said, and the calls it made."""
        self.log.write_text("")
        variables = {
            "PATH": str(self.path),
            "RADI_TEST_LOG": str(self.log),
            "RADI_TEST_BOOT": str(self.root / ".radi" / "boot"),
            "RADI_TEST_UV": UV,
            "HOME": str(self.root.parent),
            **environment,
        }
        command = [str(self.root / "radi"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=cwd or self.root)
        return done.returncode, done.stderr, self.log.read_text().splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_without_uv_it_is_brought_by_venv_and_the_command_runs_where_the_caller_is(
    clone: Clone, tmp_path: Path
) -> None:
    code, said, calls = clone.run("import", "a b.dcm", cwd=tmp_path)
    assert code == 0, said
    assert f"uv sync --project {clone.root} --frozen --inexact --no-dev" in calls
    assert calls[-2:] == ["radi import a b.dcm", str(tmp_path)]
    assert "fetching uv" in said


def test_the_second_start_installs_nothing_until_the_lock_file_changes(clone: Clone) -> None:
    clone.run("settings")
    (clone.path / "python3").unlink()
    code, said, calls = clone.run("settings")
    assert (code, said, calls[:1]) == (0, "", ["radi settings"])
    clone.python()
    (clone.root / "uv.lock").write_text("two\n")
    assert any(call.startswith("uv sync") for call in clone.run("settings")[2])


def test_tests_bring_their_own_group_which_a_later_start_keeps(clone: Clone) -> None:
    clone.run("settings")
    _, _, calls = clone.run("test", "-k", "x y")
    assert f"uv sync --project {clone.root} --frozen --inexact --group dev" in calls
    assert "python -m pytest -n 2 -k x y" in calls
    (clone.root / "uv.lock").write_text("two\n")
    assert f"uv sync --project {clone.root} --frozen --inexact --group dev" in clone.run("settings")[2]
    assert not any(call.startswith("uv sync") for call in clone.run("test")[2])


def test_node_is_brought_once_for_the_viewer_where_the_machine_has_none(clone: Clone) -> None:
    brought = f"uv sync --project {clone.root} --frozen --inexact --no-dev --group ui"
    clone.run("settings")
    (clone.root / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    clone.tool("npm", "#!/bin/sh\n")
    clone.tool("node", "#!/bin/sh\nexit 1\n")  # One that is too old says so.
    assert brought in clone.run("serve")[2]
    assert brought not in clone.run("import", "a.dcm")[2]
    assert brought not in clone.run("serve", RADI_FETCH_VIEWER="false")[2]
    clone.tool("node", "#!/bin/sh\n")
    assert brought not in clone.run("serve")[2]
    clone.tool("node", "#!/bin/sh\nexit 1\n")
    made = clone.root / ".radi" / "viewer" / "3.13.2-abc"
    made.mkdir(parents=True)
    (made / "index.html").touch()
    assert brought not in clone.run("demo")[2]


def test_a_clone_that_was_moved_is_installed_anew(clone: Clone) -> None:
    clone.run("settings")
    (clone.root / ".venv" / "old").touch()
    clone.root = clone.root.rename(clone.root.with_name("elsewhere"))
    code, said, calls = clone.run("settings")
    assert code == 0, said
    assert calls[-2] == "radi settings"
    assert not (clone.root / ".venv" / "old").exists()


@pytest.mark.parametrize("word", ["-n4", "-n", "-p", "--pdb", "--numprocesses=3"])
def test_the_callers_own_parallelism_is_kept(clone: Clone, word: str) -> None:
    assert f"python -m pytest {word}" in clone.run("test", word)[2]


def test_tools_of_the_developers_run_too(clone: Clone) -> None:
    assert "ruff check" in clone.run("tool", "ruff", "check")[2]
    assert "name the tool" in clone.run("tool")[1]


def test_a_uv_that_is_there_is_used(clone: Clone) -> None:
    clone.tool("uv", UV)
    code, said, _ = clone.run("settings")
    assert code == 0
    assert "fetching uv" not in said


def test_without_venv_pip_brings_uv_into_a_folder_of_its_own(clone: Clone) -> None:
    clone.python(venv="no")
    code, said, calls = clone.run("settings")
    assert code == 0, said
    assert any("--target" in call for call in calls)


def test_with_neither_venv_nor_pip_it_stops_with_a_sentence(clone: Clone) -> None:
    clone.python(venv="no", pip="no")
    code, said, _ = clone.run()
    assert code == 1
    assert "apt-get install python3-venv" in said


def test_an_old_python_and_none_at_all_are_said(clone: Clone) -> None:
    clone.python(too_old=1)
    code, said, _ = clone.run()
    assert code == 1
    assert "Python 3.11 or newer is needed; python3 is Python 3.9.2" in said
    (clone.path / "python3").unlink()
    code, said, _ = clone.run()
    assert code == 1
    assert "python3 is not there" in said


def test_a_home_that_cannot_be_written_is_no_obstacle(clone: Clone) -> None:
    _, _, calls = clone.run("settings", HOME="/proc/nowhere")
    assert f"cache {clone.root}/.radi/cache" in calls


def test_an_install_that_fails_is_said_and_tried_again(clone: Clone) -> None:
    clone.tool("uv", '#!/bin/sh\n[ "$1" = --version ] || exit 1\n')
    code, said, _ = clone.run("settings")
    assert code == 1
    assert "could not be installed" in said
    clone.tool("uv", UV)
    assert clone.run("settings")[0] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_of_somebody_else_is_said(clone: Clone) -> None:
    clone.root.chmod(0o500)
    assert "cannot be written" in clone.run("settings")[1]
    clone.root.chmod(0o700)
