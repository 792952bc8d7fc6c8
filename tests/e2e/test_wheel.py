"""The built package is all there is: it serves from a folder of its own, without the source tree."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.harness import OPENER, ROOT, clean_environment

_NEEDED = (
    "yanshu/py.typed",
    "yanshu/rules/routing/receipt_codes.csv",
    "yanshu/adapters/carriers/http/definitions/tencent.json",
    "yanshu/adapters/stores/migrations/env.py",
)


@pytest.mark.slow
def test_the_wheel_holds_what_it_needs_and_serves_without_the_source_tree(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "wheel", "--no-index", "--no-deps", "--no-build-isolation"]
    build = [*pip, "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, timeout=240)
    (wheel,) = tmp_path.glob("yanshu-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        packed.extractall(site)
    versions = {path.relative_to(ROOT).as_posix() for path in (ROOT / "yanshu/adapters/stores/migrations/versions").glob("*.py")}
    assert [name for name in (*_NEEDED, *versions) if name not in names] == []
    assert [name for name in names if not name.startswith(("yanshu/", "yanshu-"))] == []

    environment = clean_environment(PYTHONPATH=str(site), YANSHU_DATA_DIR=str(tmp_path / "data"))
    # `-P` leaves the current folder out of the path; PYTHONPATH comes before what is installed in place.
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import yanshu; print(yanshu.__file__)"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.startswith(str(site))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "yanshu", "serve", "--port", "0"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        for page in ("/readyz", "/docs", "/openapi.json"):
            with OPENER.open(url + page, timeout=60) as answer:
                assert answer.status == 200
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()
