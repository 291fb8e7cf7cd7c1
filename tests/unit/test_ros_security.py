"""Keys of robots and the policy of what they may do."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.qos import QoSProfile
from robot.ros.security.keys import Keys, KeysError
from robot.ros.security.ownership import looseness
from robot.ros.security.policy import TEMPLATE, PolicyError, read_policy

POLICY = """<policy version="0.2.0"><enclaves><enclave path="/scout">
  <profiles>
    <profile ns="/scout" node="*">
      <topics publish="ALLOW"><topic>image</topic><topic>~/state</topic></topics>
      <topics subscribe="ALLOW"><topic>/map/*</topic></topics>
      <topics subscribe="DENY"><topic>/map/secret</topic></topics>
      <services request="ALLOW"><service>/dock</service></services>
      <services reply="ALLOW"><service>~/get_parameters</service></services>
      <actions call="ALLOW"><action>/harvest</action></actions>
      <actions execute="ALLOW"><action>look</action></actions>
    </profile>
  </profiles>
</enclave></enclaves></policy>"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)  # whatever the umask
    return path


def endpoint(kind: str, name: str, node: str = "/scout/eyes") -> Endpoint:
    return Endpoint(
        kind=kind, gid=bytes(16), name=name, type_name="x/msg/Y", type_hash="", node=node, qos=QoSProfile(depth=1)
    )


@pytest.mark.parametrize(
    ("kind", "name", "allowed"),
    [
        (PUBLISHER, "/scout/image", True),
        (PUBLISHER, "/image", False),
        (PUBLISHER, "/scout/eyes/state", True),
        (SUBSCRIPTION, "/scout/image", False),
        (SUBSCRIPTION, "/map/tiles", True),
        (SUBSCRIPTION, "/map/secret", False),
        (CLIENT, "/dock", True),
        (SERVICE, "/dock", False),
        (SERVICE, "/scout/eyes/get_parameters", True),
        (CLIENT, "/harvest/_action/send_goal", True),
        (SUBSCRIPTION, "/harvest/_action/feedback", True),
        (SERVICE, "/harvest/_action/send_goal", False),
        (PUBLISHER, "/harvest/_action/status", False),
        (SERVICE, "/scout/look/_action/get_result", True),
        (PUBLISHER, "/scout/look/_action/feedback", True),
        (CLIENT, "/scout/look/_action/get_result", False),
    ],
)
def test_a_robot_may_do_what_its_policy_lists_and_nothing_else(
    tmp_path: Path, kind: str, name: str, allowed: bool
) -> None:
    policy = read_policy(written(tmp_path / "policy.xml", POLICY))
    assert policy.allows("scout", endpoint(kind, name)) is allowed
    assert not policy.allows("other", endpoint(kind, name))
    assert not policy.allows("scout", endpoint(kind, name, node="/elsewhere/eyes"))


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("<policy", "<!DOCTYPE p><policy", "document type"),
        ('<topics subscribe="DENY"><topic>/map/secret</topic></topics>', "<topic/>", "expected <topics>"),
        ('publish="ALLOW"', 'publish="YES"', "ALLOW or DENY"),
        ('publish="ALLOW"', 'publsh="ALLOW"', "publish or subscribe"),
        ('ns="/scout"', 'ns="scout"', "begin with '/'"),
        ('path="/scout"', "", "needs path"),
        ("<topic>image</topic>", "<topic> </topic>", "empty"),
        ("</policy>", "", "policy.xml"),
        ("<topic>/map/secret</topic>", "/map/secret", "got the text '/map/secret'"),
        ("<topic>/map/secret</topic>", "<topic>/map/x</topic>/map/secret", "got the text '/map/secret'"),
        ("<profiles>", "<profiles>none", "in <profiles>, got the text"),
        ("<topic>image</topic>", "<topic>image<topic>other</topic></topic>", "a name and nothing else"),
        ("<topic>image</topic>", '<topic publish="DENY">image</topic>', "a name and nothing else"),
    ],
)
def test_a_policy_that_is_not_understood_is_refused(tmp_path: Path, before: str, after: str, text: str) -> None:
    path = written(tmp_path / "policy.xml", POLICY.replace(before, after, 1))
    with pytest.raises(PolicyError, match=text):
        read_policy(path)


def test_a_policy_that_is_missing_is_no_policy_and_the_first_one_allows_nothing(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="security init"):
        read_policy(tmp_path / "policy.xml")
    policy = read_policy(written(tmp_path / "policy.xml", TEMPLATE))
    assert not policy.allows("scout", endpoint(PUBLISHER, "/scout/image"))


def test_keys_are_private_and_let_in_by_name(tmp_path: Path) -> None:
    scout, picker = Keys(tmp_path / "scout"), Keys(tmp_path / "picker")
    own = scout.create("scout")
    picker.create("picker")
    [secret] = (tmp_path / "scout" / "own").glob("*.key_secret")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "scout").stat().st_mode) == 0o700
    assert picker.add(tmp_path / "scout" / "own" / "scout.key") == "scout"
    assert picker.peers() == {"scout": own.public}
    picker.remove("scout")
    assert picker.peers() == {}
    with pytest.raises(KeysError, match="no peer 'scout'"):
        picker.remove("scout")


def test_keys_that_would_do_harm_are_refused(tmp_path: Path) -> None:
    scout, picker = Keys(tmp_path / "scout"), Keys(tmp_path / "picker")
    with pytest.raises(KeysError, match="security init"):
        scout.own()
    with pytest.raises(KeysError, match="letters"):
        scout.create("../scout")
    scout.create("scout")
    picker.create("picker")
    with pytest.raises(KeysError, match="key already"):
        scout.create("another")
    public, secret = (tmp_path / "scout" / "own" / f"scout.{kind}" for kind in ("key", "key_secret"))
    with pytest.raises(KeysError, match="secret"):
        picker.add(secret, "scout")
    with pytest.raises(KeysError, match="own key"):
        scout.add(public)
    picker.add(public)
    with pytest.raises(KeysError, match="scout's already"):
        picker.add(public, "other")
    (tmp_path / "picker" / "peers" / "broken.key").write_text("curve\n")
    assert list(picker.peers()) == ["scout"]
    with pytest.raises(KeysError, match=r"no file of keys|no public key"):
        picker.add(tmp_path / "picker" / "peers" / "broken.key", "broken")
    secret.chmod(0o644)
    with pytest.raises(KeysError, match="chmod 600"):
        scout.own()


@pytest.mark.parametrize(
    "text",
    [
        "curve\n    public-key\n",
        'curve\n    public-key = "short"\n',
        'curve\n    public-key = "' + "~" * 40 + '"\n',
        'curve\n    public-key = "' + "#" * 40 + '"\n',
        '    public-key = "' + "a" * 40 + '"\n    secret-key = "' + "~" * 40 + '"\n',
    ],
)
def test_a_file_that_holds_no_key_is_named_and_lets_nobody_in(tmp_path: Path, text: str) -> None:
    keys = Keys(tmp_path)
    keys.create("scout")
    path = tmp_path / "peers" / "broken.key"
    path.write_text(text)
    assert keys.peers() == {}
    with pytest.raises(KeysError, match=r"broken\.key"):
        keys.add(path)


@pytest.mark.parametrize("name", [".", "own", "peers"])
def test_keys_in_a_folder_that_others_may_change_are_refused(tmp_path: Path, name: str) -> None:
    keys = Keys(tmp_path / "keys")
    keys.create("scout")
    (tmp_path / "keys" / name).chmod(0o770)
    with pytest.raises(KeysError, match="chmod go-w"):
        keys.own()


def test_a_policy_that_others_may_change_or_nobody_may_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(tmp_path / "keys")
    keys.create("scout")
    assert read_policy(keys.policy).enclaves == {}
    keys.policy.chmod(0o660)
    with pytest.raises(PolicyError, match="chmod go-w"):
        read_policy(keys.policy)
    with pytest.raises(PolicyError, match=str(keys.folder)):
        read_policy(keys.folder)
    keys.policy.chmod(0o600)

    def refuse(*args: object, **options: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(PolicyError, match=r"policy\.xml.*denied"):
        read_policy(keys.policy)


def test_what_another_user_owns_is_loose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for owner, text in ((0, ""), (1000, ""), (1001, "another user")):
        monkeypatch.setattr(Path, "stat", lambda _, owner=owner: SimpleNamespace(st_uid=owner, st_mode=0o40700))
        found = looseness(Path("keys"))
        assert (text in found) if text else found == ""
