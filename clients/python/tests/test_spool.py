import json
import os
import random
import shutil
from pathlib import Path

import pytest

from runbench.spool import MAGIC, Busy, Spool, frame, is_busy, leftovers, parse
from runbench.sync import sync

GOLDEN = Path(__file__).parent / "golden"

RECORDS = [b"Ahello", b"M" + b"x" * 300, b"A", "Mключ".encode(), b"M\xf5RB\x9a in the middle"]
NO_LIMIT = 1 << 40


def make(root, records=(), **more):
    manifest = {"key": f"run-{random.getrandbits(64):x}", "body": {}}
    spool = Spool.create(root, manifest, limit=more.pop("limit", NO_LIMIT))
    for record in records:
        assert spool.append(record, droppable=True)
    return spool


def drain(spool):
    found = []
    while (record := spool.peek()) is not None:
        found.append(record.payload)
        spool.accepted(record)
    return found


def test_records_come_out_as_they_went_in(tmp_path):
    spool = make(tmp_path, RECORDS)
    assert drain(spool) == RECORDS
    spool.append(b"Alater", droppable=False)
    assert drain(spool) == [b"Alater"]


def test_a_spool_that_was_left_is_read_from_where_the_server_had_it(tmp_path):
    spool = make(tmp_path, RECORDS)
    for _ in range(2):
        spool.accepted(spool.peek())
    spool.close()
    again = Spool.open(spool.folder)
    assert drain(again) == RECORDS[2:]


def test_a_record_torn_at_any_byte_costs_only_itself(tmp_path):
    whole = MAGIC + b"".join(frame(record) for record in RECORDS)
    ends = [len(MAGIC)]
    for record in RECORDS:
        ends.append(ends[-1] + len(frame(record)))
    spool = make(tmp_path)
    spool.close()
    segment = spool.folder / "000001.spool"
    for cut in range(len(whole) + 1):
        segment.write_bytes(whole[:cut])
        again = Spool.open(spool.folder)
        sound = sum(1 for end in ends[1:] if end <= cut)
        assert drain(again) == RECORDS[:sound]
        again.close()
        (spool.folder / "cursor").unlink(missing_ok=True)


def test_a_byte_changed_anywhere_costs_at_most_the_record_it_is_in(tmp_path):
    whole = MAGIC + b"".join(frame(record) for record in RECORDS)
    spool = make(tmp_path)
    spool.close()
    segment = spool.folder / "000001.spool"
    for place in range(len(MAGIC), len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x41
        segment.write_bytes(damaged)
        again = Spool.open(spool.folder)
        found = drain(again)
        missing = [record for record in RECORDS if record not in found]
        assert len(missing) == 1
        assert [record for record in RECORDS if record in found] == found
        if missing != [RECORDS[-1]]:
            assert again.damaged_bytes == len(frame(missing[0]))
        again.close()
        (spool.folder / "cursor").unlink(missing_ok=True)


def test_arbitrary_bytes_are_never_taken_for_a_record_nor_hang(tmp_path):
    rng = random.Random(1)
    for size in (0, 1, 11, 12, 13, 500, 5000):
        junk = rng.randbytes(size)
        assert parse(junk) is None
        spool = make(tmp_path)
        spool.close()
        (spool.folder / "000001.spool").write_bytes(junk)
        (spool.folder / "cursor").write_bytes(rng.randbytes(size % 30))
        again = Spool.open(spool.folder)
        assert drain(again) == []
        again.close()


def test_a_torn_cursor_only_means_sending_again(tmp_path):
    spool = make(tmp_path, RECORDS)
    drain(spool)
    spool.close()
    (spool.folder / "cursor").write_bytes((spool.folder / "cursor").read_bytes()[:7])
    assert drain(Spool.open(spool.folder)) == RECORDS


def test_segments_go_when_all_of_them_was_accepted(tmp_path, monkeypatch):
    monkeypatch.setattr("runbench.spool.SEGMENT_BYTES", 1000)
    records = [f"M{number:0300}".encode() for number in range(50)]
    spool = make(tmp_path, records)
    assert len(list(spool.folder.glob("*.spool"))) > 10
    assert [spool.peek() and spool.accepted(spool.peek()) for _ in range(25)] == [None] * 25
    left = len(list(spool.folder.glob("*.spool")))
    assert left < 10
    spool.close()
    again = Spool.open(spool.folder)
    assert drain(again) == records[25:]
    assert len(list(spool.folder.glob("*.spool"))) == 1


def test_the_limit_drops_metrics_but_never_other_records(tmp_path):
    spool = make(tmp_path, [b"M" + b"x" * 400], limit=500)
    assert not spool.append(b"M" + b"y" * 400, droppable=True)
    assert spool.append(b"A" + b"z" * 400, droppable=False)
    assert [record[:2] for record in drain(spool)] == [b"Mx", b"Az"]
    assert spool.append(b"M" + b"y" * 400, droppable=True)


def test_a_disk_that_is_full_moves_the_records_into_memory_in_order(tmp_path, monkeypatch):
    spool = make(tmp_path, [b"Mone"])
    file = spool._out

    class Full:
        def write(self, data):
            file.write(data[:5])
            raise OSError(28, "No space left on device")

        def __getattr__(self, name):
            return getattr(file, name)

    spool._out = Full()
    assert spool.append(b"Mtwo", droppable=True)
    assert spool.disk_error.errno == 28
    spool._out = file
    assert spool.append(b"Mthree", droppable=True)
    assert drain(spool) == [b"Mone", b"Mtwo", b"Mthree"]
    assert spool.append(b"Mfour", droppable=True)
    spool.close()
    assert drain(Spool.open(spool.folder)) == [b"Mfour"]


def test_where_no_folder_can_be_made_memory_serves(tmp_path):
    (tmp_path / "file").write_text("in the way")
    spool = make(tmp_path / "file" / "spool", RECORDS)
    assert spool.folder is None
    assert spool.disk_error is not None
    assert drain(spool) == RECORDS
    spool.delete()


def test_one_process_at_a_time_and_only_the_owner_may_read(tmp_path):
    spool = make(tmp_path / "spool", RECORDS)
    assert is_busy(spool.folder)
    with pytest.raises(Busy):
        Spool.open(spool.folder)
    spool.close()
    assert not is_busy(spool.folder)
    if os.name == "posix":
        assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
        assert spool.folder.stat().st_mode & 0o777 == 0o700


def test_a_deletion_that_was_cut_short_is_finished_by_opening_or_ignored(tmp_path):
    spool = make(tmp_path, RECORDS)
    spool.close()
    for path in spool.folder.glob("*.spool"):
        path.unlink()
    again = Spool.open(spool.folder)
    assert drain(again) == []
    again.delete()
    assert leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_no_json_is_said(tmp_path):
    spool = make(tmp_path)
    spool.close()
    for text in ("{", "[]", ""):
        (spool.folder / "run.json").write_text(text)
        with pytest.raises(ValueError, match=r"run|Expecting"):
            Spool.open(spool.folder)
        assert not is_busy(spool.folder)


def test_the_manifest_holds_what_is_needed_to_create_the_run(tmp_path):
    spool = make(tmp_path)
    spool.manifest["run_id"] = "r1"
    spool.save_manifest()
    assert json.loads((spool.folder / "run.json").read_text())["run_id"] == "r1"


def test_a_spool_of_version_0_1_is_still_sent_whole(online, spools, environment):
    shutil.copytree(GOLDEN / "0.1", environment / "spool" / "0.1")
    (outcome,) = sync(environment / "spool")
    assert (outcome.result, outcome.records, outcome.damaged_bytes) == ("sent", 6, 0)
    stored = online.only_run()
    assert (stored["name"], stored["experiment_name"]) == ("golden", "golden")
    assert stored["status"] == "failed"
    assert stored["params"] == {"lr": 0.1, "epochs": 3}
    assert (stored["tags"], stored["notes"]) == ({"rig": "A"}, "a *note*")
    rows = online.points[stored["id"]]
    assert rows == [
        ("loss", 0, 0.1 + 0.2, 1760000000000000),
        ("loss", 1, "NaN", 1760000000000001),
        ("loss", 2, "-Infinity", 1760000000000002),
        ("Потеря/α", -1, 5e-324, 1760000000000003),
        ("Потеря/α", 9007199254740993, 1e16, 1760000000000004),
    ]
    assert spools() == []


def test_a_damaged_description_is_never_sent_as_another_run(online, environment):
    place = environment / "spool" / "0.2"
    spool = Spool.create(environment / "spool", {"key": "0.2", "body": {"name": "a"}}, limit=1)
    spool.close()
    whole = (place / "run.json").read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (place / "run.json").write_bytes(damaged)
        try:
            again = Spool.open(place)
        except ValueError:
            continue
        # What only changes the layout, or the name of the checksum, changes nothing of the run.
        assert {k: v for k, v in again.manifest.items() if k in ("key", "body")} == {
            "key": "0.2",
            "body": {"name": "a"},
        }
        again.close()


def test_the_bytes_of_a_torn_record_are_counted(tmp_path):
    spool = make(tmp_path, RECORDS)
    spool.close()
    segment = spool.folder / "000001.spool"
    segment.write_bytes(segment.read_bytes()[:-3])
    again = Spool.open(spool.folder)
    assert drain(again) == RECORDS[:-1]
    assert again.damaged_bytes == len(frame(RECORDS[-1])) - 3
