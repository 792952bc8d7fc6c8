"""A table of number ranges of one's own: imported with a look first, in force at the next start, refused by its lines."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from yanshu.app.platform import Platform
from yanshu.cli.commands import commands
from yanshu.cli.examine import examine
from yanshu.rules.contacts.prefixes import open_prefixes
from yanshu.settings import Settings, SettingsError

HEAD = "prefix,operator,kind,digits\n"
GOOD = "# as of 2030-01-02\n" + HEAD + "138,cucc,mobile,11\n154,cbn,mobile,11\n"


def _import(file: Path, *options: str, **environment: str) -> Result:
    return CliRunner().invoke(commands, ["import-prefixes", str(file), *options], env=environment)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "new.csv"
    path.write_text(GOOD, "utf-8")
    return path


def test_a_dry_run_tells_the_differences_and_changes_nothing(table: Path, tmp_path: Path) -> None:
    told = _import(table, "--dry-run", YANSHU_DATA_DIR=str(tmp_path / "data"))
    assert (told.exit_code, (tmp_path / "data").exists()) == (0, False), told.output
    assert "  138…: cmcc mobile → cucc mobile\n" in told.output
    assert "  154…: nobody's → cbn mobile\n" in told.output
    assert "nothing was changed" in told.output


@pytest.mark.parametrize("named", [False, True], ids=["in the data directory", "where the setting says"])
def test_an_imported_table_is_in_force_at_the_next_start(table: Path, tmp_path: Path, named: bool) -> None:
    own = tmp_path / "own.csv"
    own.write_text(HEAD + "1,cmcc,mobile,11\n")
    place = {"YANSHU_PREFIX_FILE": str(own)} if named else {}
    assert _import(table, YANSHU_DATA_DIR=str(tmp_path / "data"), **place).exit_code == 0
    settings = Settings(data_dir=str(tmp_path / "data"), prefix_file=str(own) if named else "")
    assert Platform(settings).prefixes.facts_of("+8615412345678").operator == "cbn"
    again = _import(table, YANSHU_DATA_DIR=str(tmp_path / "data"), **place)
    assert "no number is told differently" in again.output


def test_a_table_with_faults_is_refused_by_its_lines_and_the_old_one_stays(table: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert _import(table, YANSHU_DATA_DIR=data).exit_code == 0
    table.write_text(HEAD + "13x,cmcc,mobile,11\n139,cmcc,pager,11\n", "utf-8")
    told = _import(table, YANSHU_DATA_DIR=data)
    assert (told.exit_code, "line 2: a prefix is digits" in told.output, "line 3: kind is one of" in told.output) == (1, True, True)
    assert open_prefixes(Settings(data_dir=data)).dated_on is not None


BROKEN = [
    ("no UTF-8", "# 号段\n".encode("gb18030"), "save it as CSV UTF-8"),
    ("a database", b"SQLite format 3\x00", "line 1: the heading is"),
    ("nothing", b"", "the table has no rows"),
]


@pytest.mark.parametrize(("name", "octets", "told"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_server_does_not_start_with_a_broken_table(tmp_path: Path, name: str, octets: bytes, told: str) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(octets)
    with pytest.raises(SettingsError, match=f"YANSHU_PREFIX_FILE: .*own.csv is no table of number ranges:\n.*{told}"):
        Platform(Settings(data_dir=str(tmp_path), prefix_file=str(own)))


def test_a_table_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="it cannot be read: No such file"):
        open_prefixes(Settings(prefix_file=str(tmp_path / "none.csv")))


def test_a_broken_table_in_use_can_be_replaced(table: Path, tmp_path: Path) -> None:
    (tmp_path / "prefixes.csv").write_text("nonsense")
    told = _import(table, YANSHU_DATA_DIR=str(tmp_path))
    assert (told.exit_code, "compared with the shipped table" in told.output) == (0, True), told.output


DOCTOR = [
    ("the shipped one", None, True, "the shipped table, as of 2"),
    ("one's own", GOOD, True, "as of 2030-01-02: 2 ranges (cbn 1, cucc 1) in 2 of 70 blocks"),
    ("one without a date", HEAD + "138,cmcc,mobile,11\n", True, "without a date"),
    ("an old one", "# as of 2020-01-01\n" + HEAD + "138,cmcc,mobile,11\n", True, "the shipped one is newer (2"),
    ("a broken one", "nonsense\n", False, "line 1: the heading is prefix,operator,kind,digits"),
]


@pytest.mark.parametrize(("name", "text", "good", "told"), DOCTOR, ids=[case[0] for case in DOCTOR])
async def test_the_doctor_says_which_table_is_in_force(tmp_path: Path, name: str, text: str | None, good: bool, told: str) -> None:
    if text is not None:
        (tmp_path / "prefixes.csv").write_text(text)
    found = next(f for f in await examine(Settings(data_dir=str(tmp_path), listen_port=0)) if f.what == "number ranges")
    assert (found.good, told in found.detail) == (good, True), found.detail
