# SPDX-License-Identifier: EUPL-1.2
"""The command line of `herse demo`: what is no port is told before anything is made; what one needs is printed."""

import pytest

from gateway.cli.card_certs import PASSPHRASE, dev_cards
from gateway.cli.demo import welcome
from gateway.cli.main import build_parser, main
from gateway.demo.cast import CAST, Credentials, write_accounts


@pytest.mark.parametrize("option", ["--port", "--card-port", "--portal-port"])
@pytest.mark.parametrize("port", ["0", "65536", "99999999", "-1", "x", "\u0668\u0660", "80 "])
def test_a_port_is_a_port(option, port, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["demo", f"{option}={port}", "--dir", str(tmp_path / "demo")])
    assert left.value.code == 2
    assert f"argument {option}: found" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_code_of_nobody_is_told(tmp_path, capsys):
    assert main(["demo", "--code", "NOBODY", "--dir", str(tmp_path)]) == 2
    assert "no account 'NOBODY' there" in capsys.readouterr().err


def test_what_a_person_needs_now_is_printed(tmp_path):
    parser = build_parser()
    arguments = parser.parse_args(["demo", "--dir", str(tmp_path), "--certs", "here", "--port", "9443"])
    given = {one.identifier: Credentials(f"secret-of-{one.role}", "S" * 16) for one in CAST}
    write_accounts(tmp_path / "accounts.json", given, dev_cards(tmp_path / "cards").cards, PASSPHRASE)
    told = welcome(arguments)
    for part in (
        "https://localhost:9443/ ",
        "secret-of-pharmacist",
        f"demo --dir {tmp_path} --code IDENTIFIER",
        "Hugo Marchand        899700000005.p12",
        "Lou Martin           3750012346-EMP0001.p12",
        "lets Lou Martin in by 3750012346/EMP0001 at",
        f"{tmp_path}/state/letters",
    ):
        assert part in told
    assert "S" * 16 not in told
