"""What the tests deliver to: a server of Supabase's Data API, and Debian's PostgreSQL.

Neither comes with pip, so what needs them is skipped where they are absent, and marked slow:
``.ci/run`` installs them.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MIGRATIONS = HERE.parent.parent / "supabase" / "migrations"
CLI = HERE / "node_modules" / ".bin" / "supabase"
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

PUBLISHABLE, SECRET = "sb_publishable_test", "sb_secret_test"


def why_no_api() -> str:
    """Why there can be no server of the Data API; empty where there can."""
    if shutil.which("node") is None:
        return "needs node"
    if not (HERE / "node_modules").is_dir():
        return "needs `npm install` in tests/supabase"
    return ""


def why_no_cli() -> str:
    """Why Supabase's own command line cannot be run; empty where it can."""
    return "" if CLI.exists() else "needs `npm install` in tests/supabase"


def why_no_postgres() -> str:
    """Why PostgreSQL cannot be started; empty where it can."""
    return "" if POSTGRES else "needs PostgreSQL (apt install postgresql)"


@dataclass(frozen=True, slots=True)
class Api:
    """A Supabase project for as long as the test lasts, and the truth about what is in it."""

    url: str
    anon: str
    """A legacy key; the others are PUBLISHABLE and SECRET."""
    service: str

    def sql(self, statements: str) -> list[dict[str, Any]]:
        """Run statements as the owner of the database; the rows of the last one."""
        request = urllib.request.Request(f"{self.url}/sql", statements.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            rows: list[dict[str, Any]] = json.load(answer)
        return rows

    def count(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) AS n FROM public.{table}")[0]["n"])

    def empty(self) -> None:
        """Remove all rows."""
        self.sql("TRUNCATE public.answers, public.links, public.erased CASCADE")


@contextmanager
def data_api(migrations: Path = MIGRATIONS) -> Iterator[Api]:
    """A server of the Data API with these migrations applied."""
    process = subprocess.Popen(
        ["node", str(HERE / "server.mjs"), str(migrations)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"port"'):
                break
        else:
            raise AssertionError("the server of the Data API did not start")
        facts = json.loads(line)
        yield Api(f"http://127.0.0.1:{facts['port']}", facts["anon"], facts["service"])
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Postgres:
    """A PostgreSQL of its own. PostgreSQL refuses to run as root, so root lends it a user."""

    def __init__(self, folder: Path) -> None:
        self._bin = POSTGRES[-1].parent
        self._folder = folder
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")
        self.port = _free_port()
        self._there = ("-h", str(folder), "-p", str(self.port), "-U", "postgres")
        options = f"-k {folder} -p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start"
        )

    def _run(
        self, program: str, *arguments: str, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._bin / program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=program != "psql",
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            **self._as,
        )

    def sql(self, statements: str, *, role: str = "postgres", database: str = "postgres") -> str:
        """Run statements in one transaction under a role; what psql prints, or the error with its SQLSTATE.

        Rows come as lines, columns divided by ``|``.
        """
        begin = "" if role == "postgres" else f"SET ROLE {role};\n"
        done = self._run(
            "psql", "-X", "-q", "-A", "-t", *self._there, "-d", database,
            "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-1", "-f", "-",
            given=begin + statements,
        )  # fmt: skip
        if done.returncode == 0:
            return done.stdout.strip()
        error = next(line for line in done.stderr.splitlines() if "ERROR:" in line)
        return "ERROR " + error.split("ERROR:", 1)[1].strip()

    def create(self, database: str, *, template: str = "template1") -> None:
        self._run("createdb", *self._there, "-T", template, database)

    def drop(self, database: str) -> None:
        self._run("dropdb", *self._there, database)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """PostgreSQL in a folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = None
    try:
        server = Postgres(folder)
        yield server
    finally:
        if server is not None:
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def migrations(folder: Path = MIGRATIONS) -> Sequence[Path]:
    """The SQL files in order."""
    return sorted(folder.glob("*.sql"))
