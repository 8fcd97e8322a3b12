"""What the API server has been asked is all there, however long its log has become."""

from pathlib import Path

from dev.cluster import ControlPlane


def test_a_log_that_was_begun_anew_is_read_from_its_first_part_on(tmp_path: Path) -> None:
    control_plane = ControlPlane(tmp_path, mark="test", audit=True)
    logs = control_plane.audit_log.parent
    logs.mkdir(parents=True)
    control_plane.audit_log.write_text('{"auditID": "3"}\n')
    (logs / "audit-2026-11-26T12-05-00.000.log").write_text('{"auditID": "2"}\n')
    (logs / "audit-2026-11-26T12-00-00.000.log").write_text('{"auditID": "1"}\n')
    (logs / "kube-apiserver.log").write_text("no JSON\n")
    assert [event["auditID"] for event in control_plane.audited()] == ["1", "2", "3"]
