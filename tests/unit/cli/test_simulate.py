"""`yanshu simulate`: options that make no sense are refused by name before anything listens."""

import pytest
from click.testing import CliRunner

from yanshu.cli.commands import commands

REFUSED: list[tuple[str, list[str], str]] = [
    ("a port beyond 16 bits", ["--port", "70000"], "'--port'"),
    ("a negative control port", ["--control-port", "-1"], "'--control-port'"),
    ("an account without a password", ["--account", "shop"], "--account: 'shop' is not"),
    ("an account with an unknown mark", ["--account", "shop:a:refuses_08"], "--account"),
    ("an account in Chinese", ["--account", "雁书:a"], "--account: SMPP 3.4 allows 15 ASCII"),
    ("a password too long", ["--account", "shop:ninechars"], "--account: SMPP 3.4 allows"),
    ("a CMPP account too long", ["--account", "cmpp/sevench:a"], "--account: CMPP 2.0 and 3.0 allows 6 ASCII"),
    ("an SMGP account too long", ["--account", "smgp/ninechars:a"], "--account: SMGP 3.0 allows 8 ASCII"),
    ("a protocol nobody speaks", ["--account", "ucp/shop:a"], "--account: 'ucp' is not one of smpp, cmpp, sgip, smgp, http"),
    ("an SGIP password too long", ["--account", "sgip/shop:seventeen-letters"], "--account: SGIP 1.2 allows 15 ASCII"),
    ("a listener without a port", ["--sgip-deliver-to", "127.0.0.1"], "--sgip-deliver-to: '127.0.0.1' is not host:port"),
    ("an account given twice", ["--account", "shop:a", "--account", "shop:b"], "--account: each account"),
    ("an unknown behaviour", ["--behave", "latency=1"], "`latency`"),
    ("a rate above one", ["--behave", "refuse_rate=2"], "refuse_rate"),
    ("a word for a number", ["--behave", "refuse_rate=often"], "refuse_rate"),
    ("time that stands", ["--time-factor", "0"], "--time-factor"),
    ("time that is no number", ["--time-factor", "nan"], "--time-factor"),
    ("no delays at all", ["--time-factor", "inf"], "--time-factor"),
]


@pytest.mark.parametrize(("name", "options", "named"), REFUSED, ids=[case[0] for case in REFUSED])
def test_an_option_that_makes_no_sense_is_named(name: str, options: list[str], named: str) -> None:
    result = CliRunner().invoke(commands, ["simulate", *options])
    assert result.exit_code == 2
    assert named in result.output
