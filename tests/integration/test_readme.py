"""Every command of the README, run in its order against a running demo; and the targets that it names exist."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.up import free_port

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_READY_MAX_SECONDS = 240


def commands() -> list[str]:
    """Returns the commands of README's console blocks, in order."""
    blocks = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Runs the demo until headspace and Ungeværftet have handovers, and yields what commands need to find it."""
    data = tmp_path_factory.mktemp("data")
    port = str(free_port())
    variables = dict(os.environ) | {
        "BROBYGGER_DATA": str(data),
        "BROBYGGER_GATEWAY_PORT": port,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    log = (data / "up.log").open("wb")
    up = subprocess.Popen([sys.executable, "-m", "streams.cli", "up", "--demo"], env=variables, stdout=log, stderr=log)
    try:
        for topic in ("handovers.headspace", "handovers.ungevaerftet"):
            _wait_for(topic, variables, up)
        yield variables
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)
        log.close()
    assert up.returncode == 0


def _wait_for(topic: str, variables: dict[str, str], up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_MAX_SECONDS
    wanted = [sys.executable, "-m", "streams.cli", "subscribe", topic, "--limit", "1", "--timeout", "20", "--json"]
    while subprocess.run(wanted, env=variables, capture_output=True, check=False).returncode:
        assert up.poll() is None, "the instance ended"
        assert time.monotonic() < deadline, f"nothing came on {topic}"


def test_every_command_works(environment: dict[str, str]) -> None:
    port = environment["BROBYGGER_GATEWAY_PORT"]
    lines = [line.replace(":8460", f":{port}") for line in commands() if not line.startswith(". .venv")]
    script = "set -euo pipefail\n" + "\n".join(f"echo '>' {number}\n{line}" for number, line in enumerate(lines))
    bash = shutil.which("bash")
    assert bash is not None, "install the system package bash"
    assert shutil.which("curl") is not None, "install the system package curl"

    run = subprocess.run([bash, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr[-3000:]}"


def test_every_command_that_the_text_names_exists() -> None:
    from streams.cli.main import _PLACES  # noqa: PLC0415

    named = set(re.findall(r"`brobygger ([a-z-]+)", README))

    assert named <= set(_PLACES), named - set(_PLACES)


def test_every_make_target_that_the_text_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in set(re.findall(r"(?:`|^)make ([a-z-]+)", README, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
