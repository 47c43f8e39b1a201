"""`radi account`: accounts and keys at the command line, through the actions of REST."""

import re

from command_line import radi
from radiology.settings import Settings


def test_an_account_is_made_listed_reset_closed_and_opened(settings: Settings) -> None:
    made = radi(settings, "account", "add", "rahim", "--role", "radiographer", "--facilities", "DMCH,BSMMU")
    assert (made.code, made.err) == (0, "")
    assert re.fullmatch(r"one-time password \S{16}\n", made.out)
    again = radi(settings, "account", "reset", "rahim", "--totp")
    assert again.out.startswith("one-time password ")
    assert again.out != made.out
    assert radi(settings, "account", "disable", "rahim").out == "The account rahim is disabled.\n"
    line = radi(settings, "account", "list").out
    assert line.split()[:4] == ["rahim", "radiographer", "DMCH,", "BSMMU"]
    assert "disabled" in line
    assert radi(settings, "account", "enable", "rahim").code == 0
    assert radi(settings, "account", "unlock", "rahim").code == 0
    refused = radi(settings, "account", "add", "a:b", "--role", "painter")
    assert (refused.code, refused.out, "role" in refused.err, "name" in refused.err) == (2, "", True, True)
    assert radi(settings, "account", "disable", "nobody").err == "radi: There is no account 'nobody'.\n"


def test_keys_are_made_listed_and_revoked(settings: Settings) -> None:
    assert "makes a key" in radi(settings, "account", "add", "dashboard", "--role", "service").out
    options = ("--label", "screen", "--scopes", "radiology.read", "--expires", "2099-01-31")
    key = radi(settings, "account", "key", "dashboard", *options).out.strip()
    assert key.startswith("radi_")
    line = radi(settings, "account", "keys", "dashboard").out
    assert key not in line
    assert line.split()[1:] == [key[:13], "screen", "radiology.read", "until", "2099-01-31", "never", "used"]
    assert radi(settings, "account", "revoke", "dashboard", line.split()[0]).code == 0
    assert radi(settings, "account", "keys", "dashboard").out == ""
    assert radi(settings, "account", "key", "dashboard", "--scopes", "radiology.paint").code == 2
