"""The small disks of F12 are full when they are filled, and say so where none can be mounted."""

import os

import pytest

from faults import disks
from faults.trial import NotRun

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")


@as_root
def test_a_full_disk_takes_nothing_until_there_is_room(tmp_path):
    with disks.small_disk(tmp_path / "small", 1) as disk:
        kept = disk.folder / "kept"
        kept.write_bytes(b"x" * 4096)
        disk.fill()
        with pytest.raises(OSError, match="No space left on device"):
            kept.write_bytes(b"y" * 8192)
        disk.make_room()
        kept.write_bytes(b"z" * 8192)
        assert kept.read_bytes() == b"z" * 8192
    assert not disk.folder.exists()


@pytest.mark.parametrize("program", ["false", "/no/such/program"])
def test_where_none_can_be_mounted_the_scenario_is_not_run(tmp_path, monkeypatch, program):
    monkeypatch.setattr(disks, "_MOUNT", program)
    with (
        pytest.raises(NotRun, match="no small disk can be mounted here"),
        disks.small_disk(tmp_path / "s", 1),
    ):
        pass
