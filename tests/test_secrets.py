"""Keys, passwords and tokens stand in no page, error, log, export or link; questions in no log."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from rag.access import hash_password
from rag.config import Environment
from rag.generators.prompt import FOLDER

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "benchmarks")]
NOBODY = "http://127.0.0.1:9"
KEYS = {
    "OPENAI_API_KEY": "sk-canary-openai",
    "COHERE_API_KEY": "canary-cohere",
    "SUPABASE_KEY": "sb_publishable_canary",
    "SUPABASE_SECRET_KEY": "sb_secret_canary",
    "CHROMA_API_KEY": "canary-chroma",
    "THUMBPRINT_OWNER_PASSWORD": "canary-hash",
}
QUESTION = "Which wine goes with my private canary question?"


def test_what_is_read_from_the_environment_shows_no_key() -> None:
    shown = repr(Environment.load({**KEYS, "SUPABASE_URL": NOBODY}))
    assert "canary" not in shown


def test_the_prompts_hold_no_secret() -> None:
    for path in FOLDER.glob("*.md"):
        text = path.read_text("utf-8")
        assert not any(word in text for word in ("sk-", "sb_secret", "api_key", "password", "THUMBPRINT"))


@pytest.mark.slow
def test_nothing_secret_leaves_a_running_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from browser_steps import serving
    from streamlit_client import Client

    hashed = hash_password("canary password")
    keys = {name: value for name, value in KEYS.items() if name != "CHROMA_API_KEY"}
    keys["THUMBPRINT_OWNER_PASSWORD"] = hashed
    environment = {
        **keys,
        "OPENAI_BASE_URL": f"{NOBODY}/v1",
        "SUPABASE_URL": NOBODY,
        "FAKE_MODEL": "1",
        "FAKE_GUARD": "1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"

    def command(*arguments: str) -> str:
        env = {**os.environ, "THUMBPRINT_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "tests/run_fake.py", *arguments],
            cwd=ROOT,
            env={**env, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    class Listening(Client):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.heard: list[bytes] = []

        def take(self, message: ForwardMsg) -> None:
            self.heard.append(message.SerializeToString())
            super().take(message)

    async def look(address: str, page: str = "", query: str = "", question: str = "") -> tuple[bytes, Client]:
        async with Listening(address, page, query) as client:
            await client.settled(60)
            if question:
                await client.ask(question, 120)
            return b"".join(client.heard), client

    made = command("links", "create", "--json", "--quiet")
    token = made.partition('"token": "')[2].partition('"')[0]
    with serving(ROOT / "tests" / "browser" / "fake" / "app.py", home) as address:
        asked, client = asyncio.run(look(address, question=QUESTION))
        linked, _ = asyncio.run(look(address, query=f"link={token}", question=QUESTION))
        pages = [asyncio.run(look(address, page))[0] for page in ("library", "links", "compare", "shared")]
        bad = asyncio.run(look(address, query=f"link={'x' * 43}"))[0]
        log = (home / "server.log").read_text("utf-8", "replace")
    export = home / "export.csv"
    listed = command("links", "list", "--json")
    exported = command("feedback", "export", "--format", "csv", "--out", str(export))
    exported += export.read_text("utf-8")

    seen = b"\n".join([asked, linked, *pages, bad]).decode("utf-8", "replace")
    for where in (seen, log, made, listed, exported):
        for secret in (*keys.values(), "canary password", client.secret):
            assert secret not in where
    assert token not in log + listed + exported
    assert QUESTION in seen
    assert QUESTION in exported
    assert "private canary" not in log
