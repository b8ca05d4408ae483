"""Ansible through a bastion, with pipelining and without: as if the recorder were not there."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.cast import events
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, NewSessions
from tests.e2e.sessions import DEADLINE_SECONDS, tool
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("ansible-playbook", "sftp")]
_PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: a file
      copy: {content: "from ansible\\n", dest: "{{ folder }}/file", mode: "0600"}
    - name: a command
      command: cat {{ folder }}/file
      register: shown
    - name: its output
      assert: {that: shown.stdout == "from ansible"}
    - name: a failure that is expected
      command: /bin/false
      register: failed
      failed_when: failed.rc != 1
"""


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


@pytest.mark.slow
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
def test_a_playbook_runs(host: Bastion, tmp_path: Path, pipelining: bool) -> None:
    new = NewSessions(host)
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(_PLAYBOOK)
    inventory = tmp_path / "inventory"
    inventory.write_text(
        f"bastion ansible_host=127.0.0.1 ansible_port={host.port} ansible_user={host.user} "
        f"ansible_ssh_private_key_file={host.base}/user-key ansible_python_interpreter=/usr/bin/python3 "
        f"folder={host.base}/home\n"
    )
    (tmp_path / "ansible.cfg").touch()
    env = os.environ | {
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_PIPELINING": str(pipelining),
        "ANSIBLE_SSH_ARGS": "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ControlMaster=no",
    }
    command = [tool("ansible-playbook"), "-i", str(inventory), str(playbook)]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok=4" in done.stdout
    assert (host.base / "home" / "file").read_text() == "from ansible\n"
    found = new.sealed(len(host.sessions_so_far()))
    assert {item.verdict.state for item in found} == {State.VERIFIED}
    assert any(item.data(events.TRANSFER) for item in found), "the file's content goes by sftp in both"
    modules = "".join(data for item in found for data in item.data(events.INPUT))
    assert ("ANSIBALLZ" in modules) == pipelining
