"""TLS as requested in the database URL, with a server that has a self-signed certificate."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from dagster_postgres.utils import create_pg_engine

from riskmetrics.db import engine
from tests.deploy.conftest import Postgres, new_folder, serve, stop

DEBIAN = Path("/usr/lib/postgresql/15/bin")
ENCRYPTED = sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

pytestmark = [
    pytest.mark.skipif(
        not DEBIAN.exists(), reason="no Postgres with TLS here: the embedded one is built without"
    ),
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="no openssl here to make a certificate"
    ),
]


def certificate(folder: Path, name: str) -> Path:
    """Create a self-signed certificate for localhost, and its key in the same folder."""
    files = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *files, *names], check=True, capture_output=True
    )
    return folder / f"{name}.crt"


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Path]]:
    """Return a server that requires encryption, and a folder with its certificate and another."""
    folder, known = new_folder(), tmp_path_factory.mktemp("certificates")
    shutil.copy(certificate(folder, "server"), known)
    certificate(known, "stranger")
    files = (
        f"ssl_{kind}_file={folder / f'server.{ending}'}"
        for kind, ending in (("cert", "crt"), ("key", "key"))
    )
    server = serve(DEBIAN, folder, {"POSTGRES_PASSWORD": "of-a-test"}, "ssl=on", *files)
    (folder / "data" / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
    server.run("psql", "--quiet", "--command", "SELECT pg_reload_conf()")
    yield server, known
    stop(server, folder)


def connects(url: str) -> bool:
    """Connect as riskmetrics does; return whether the connection is encrypted."""
    opened = engine.create_engine(engine.normalize_url(url))
    try:
        with opened.connect() as connection:
            return bool(connection.scalar(ENCRYPTED))
    finally:
        opened.dispose()


@pytest.mark.parametrize(
    "options",
    ["sslmode=verify-full&sslrootcert={known}/server.crt", "sslmode=require", "ssl=require"],
)
def test_the_url_says_how_a_connection_is_encrypted(
    encrypted: tuple[Postgres, Path], options: str
) -> None:
    server, known = encrypted
    assert connects(
        f"postgresql://postgres:of-a-test@localhost:{server.port}/postgres?{options.format(known=known)}"
    )


@pytest.mark.parametrize(
    ("host", "options", "sentence"),
    [
        (
            "localhost",
            "sslmode=verify-full&sslrootcert={known}/stranger.crt",
            "certificate verify failed",
        ),
        (
            "127.0.0.1",
            "sslmode=verify-full&sslrootcert={known}/server.crt",
            "does not match host name",
        ),
        ("localhost", "sslmode=verify-full&sslrootcert={known}/nothing.crt", "does not exist"),
        ("localhost", "sslmode=disable", "no encryption"),
    ],
)
def test_a_server_that_is_not_the_expected_one_is_refused(
    encrypted: tuple[Postgres, Path], host: str, options: str, sentence: str
) -> None:
    server, known = encrypted
    with pytest.raises(sa.exc.OperationalError, match=sentence) as caught:
        connects(
            f"postgresql://postgres:of-a-test@{host}:{server.port}/postgres?{options.format(known=known)}"
        )
    assert "of-a-test" not in str(caught.value)


def test_dagsters_storage_takes_the_same_options(encrypted: tuple[Postgres, Path]) -> None:
    server, known = encrypted
    address = f"postgresql+psycopg2://postgres:of-a-test@localhost:{server.port}/postgres?sslmode=verify-full&sslrootcert={known}"
    opened = create_pg_engine(f"{address}/server.crt")
    with opened.connect() as connection:
        assert connection.scalar(ENCRYPTED) is True
    with pytest.raises(sa.exc.OperationalError, match="certificate verify failed"):
        create_pg_engine(f"{address}/stranger.crt").connect()
    opened.dispose()
