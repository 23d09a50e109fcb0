"""report.json: what is written comes back as the same dataclasses.

Left out: what fills it (test_compare) and what is made of it (test_report_*).
"""

from pathlib import Path

from twinloop.harness.results import Cell, LaneItem, OracleResult, Ratio, Report, Timeline, VariantInfo


def full() -> Report:
    return Report(
        meta={"version": "0.1.0", "seed": 1},
        sentence="Same.",
        variants=[VariantInfo(name="handwritten", command="x", cost={"lines": 3})],
        cells=[
            Cell("create", "handwritten", "ok", [OracleResult("O1", "ok", "fine", evidence=[1, 2])], known=["KD-1"])
        ],
        ratios=[Ratio("create", "to ready", "kopf", "handwritten", 1.5, 1.2, 1.9, 0.9, 1.1, "slower", 20)],
        timelines=[Timeline("create", "", "kopf", "trials/x", 2.0, [LaneItem("user", 0.1, "create web", code=201)], 3)],
    )


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    report = full()
    report.write(path)
    again = Report.read(path)
    assert again == report
    assert isinstance(again.cells[0].oracles[0], OracleResult)
    assert isinstance(again.timelines[0].items[0], LaneItem)


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"meta": {}, "sentence": "s", "something": "new"}')
    assert Report.read(path).sentence == "s"


def test_a_cell_is_found_by_scenario_and_variant() -> None:
    report = full()
    assert report.cell("create", "handwritten") is report.cells[0]
    assert report.cell("create", "kopf") is None
