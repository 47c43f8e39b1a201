"""Settings: sources and their order, the names of the specification's manifest, what is refused, and the document."""

from pathlib import Path

import pytest

from radiology import settings as module
from radiology.settings import Settings, SettingsError, load_settings, settings_document, unknown_variables


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for field in Settings.model_fields:
        for name in (f"RADI_{field.upper()}", field.upper()):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("RADI_SETTINGS", raising=False)
    monkeypatch.setenv("RADI_DATA_DIR", str(tmp_path))
    return tmp_path


def test_fixed_names_and_their_defaults(clean: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == clean
    assert (settings.http_port, settings.dicom_port, settings.allow_unknown_ae) == (8080, 11112, False)
    assert settings.ae_title == "RADSVC"
    assert settings.bind_address == "127.0.0.1"
    assert settings.time_zone == "Asia/Dhaka"


def test_environment_wins_over_file_and_file_over_default(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean / "radi.toml").write_text('http_port = 9000\ndicom_port = 9001\ndb_host = "filed"\n')
    monkeypatch.setenv("RADI_HTTP_PORT", "9100")
    settings = load_settings(find_max=7)
    assert (settings.http_port, settings.dicom_port, settings.db_host, settings.find_max) == (9100, 9001, "filed", 7)


def test_radi_settings_names_another_file(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = clean / "other.toml"
    other.write_text('facility_code = "DMCH"\n')
    monkeypatch.setenv("RADI_SETTINGS", str(other))
    assert load_settings().facility_code == "DMCH"
    other.unlink()
    with pytest.raises(SettingsError, match=r"RADI_SETTINGS: there is no file"):
        load_settings()


def test_the_file_of_an_overridden_data_dir_is_read(clean: Path) -> None:
    (clean / "sub").mkdir()
    (clean / "sub" / "radi.toml").write_text("find_max = 3\n")
    assert load_settings(data_dir=clean / "sub").find_max == 3


def test_the_manifest_of_the_specification_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("DB_HOST", "postgresql-service"),
        ("REDIS_HOST", "redis-service"),
        ("KAFKA_BROKERS", "kafka-service:9092"),
        ("PACS_URL", "pacs-service:104"),
        ("STORAGE_URL", "minio-service:9000"),
    ):
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.database_dsn == "postgresql://radiology@postgresql-service:5432/radiology"
    assert not settings.embedded_database
    assert settings.redis_host == "redis-service"
    assert settings.kafka_brokers == "kafka-service:9092"
    assert settings.pacs_url == "pacs-service:104"
    assert settings.storage_url == "minio-service:9000"


def test_database_parts_are_quoted_and_the_url_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "::1")
    monkeypatch.setenv("DB_PORT", "tcp://10.0.0.7:6543")
    monkeypatch.setenv("DB_USER", "a@b")
    monkeypatch.setenv("DB_PASSWORD", "p/w:1")
    assert load_settings().database_dsn == "postgresql://a%40b:p%2Fw%3A1@[::1]:6543/radiology"
    assert "p/w:1" not in repr(load_settings())
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@y/z")
    assert load_settings().database_dsn == "postgresql://x@y/z"


def test_our_own_name_wins_over_the_manifests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "theirs")
    monkeypatch.setenv("RADI_DB_HOST", "ours")
    assert load_settings().db_host == "ours"


def test_the_socket_path_is_short_however_long_the_data_dir(clean: Path) -> None:
    settings = load_settings(data_dir=clean / ("x" * 200))
    assert settings.embedded_database
    assert len(bytes(settings.socket_dir / ".s.PGSQL.5432.lock")) < 107
    assert settings.socket_dir != load_settings().socket_dir


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("RADI_HTTP_PORT", "99999", r"RADI_HTTP_PORT: .*65535.*'99999'"),
        ("RADI_HTTP_PORT", "web", r"RADI_HTTP_PORT: .*integer.*'web'"),
        ("RADI_AE_TITLE", "SEVENTEEN LETTERS", r"RADI_AE_TITLE: must be 1 to 16"),
        ("RADI_TIME_ZONE", "Dhaka", r"RADI_TIME_ZONE: 'Dhaka' is not a time zone"),
        ("RADI_QIDO_DEFAULT_LIMIT", "3000", r"qido_default_limit is greater"),
        ("DB_PORT", "none", r"DB_PORT: .*integer"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=sentence):
        load_settings()


def test_a_wrong_file_is_refused(clean: Path) -> None:
    (clean / "radi.toml").write_text("htpp_port = 1\n")
    with pytest.raises(SettingsError, match=r"htpp_port in the settings file is not a setting"):
        load_settings()
    (clean / "radi.toml").write_text("http_port\n")
    with pytest.raises(SettingsError, match=r"radi\.toml cannot be read"):
        load_settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().http_port = 1  # type: ignore[misc]


def test_spelling_mistakes_in_the_environment_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADI_HTPP_PORT", "1")
    assert unknown_variables() == ["RADI_HTPP_PORT"]


def test_quiet_period_by_modality() -> None:
    settings = load_settings()
    assert [settings.quiet_period_seconds(m) for m in ("DX", "CT", "XA", None)] == [120, 300, 600, 300]


def test_every_setting_has_a_sentence() -> None:
    for field, info in Settings.model_fields.items():
        assert info.description, field
        assert info.description.endswith((".", ")")), field


def test_the_document_is_what_the_code_says() -> None:
    document = Path(module.__file__).parents[2] / "docs" / "settings.md"
    assert document.read_text(encoding="utf-8") == settings_document(), "run `make docs`"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("https://pacs.example.org/", "https://pacs.example.org"),
        ("http://10.1.2.3:8080", "http://10.1.2.3:8080"),
        ("https://[fd00::1]:8443/imaging/", "https://[fd00::1]:8443/imaging"),
        ("pacs.example.org", None),
        ("ftp://pacs.example.org", None),
        ("https://user:secret@pacs.example.org", None),
        ("https://pacs.example.org/?a=b", None),
        ('https://pacs.example.org/"', None),
        ("https://", None),
    ],
)
def test_the_public_url_is_the_beginning_of_a_link(given: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(SettingsError, match="RADI_PUBLIC_URL"):
            load_settings(public_url=given)
    else:
        assert load_settings(public_url=given).public_url == kept
