"""Zones as people choose them."""

import pytest

from app.domain.errors import Invalid
from app.use_cases.zone_names import canonical_zone, known_zone
from app.web.pages.zones import offset_label, place_of, zone_groups

WINTER, SUMMER = 1795413600, 1782000000


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Eastern", "America/New_York"),
        ("Zulu", "UTC"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_old_names_become_present_ones(sent: str, kept: str) -> None:
    assert canonical_zone(sent) == kept


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "europe berlin"])
def test_an_unknown_zone_is_refused_or_ignored(name: str) -> None:
    with pytest.raises(Invalid):
        canonical_zone(name)
    assert known_zone(name) is None


def test_offsets_are_those_of_the_instant() -> None:
    assert offset_label("Europe/Berlin", WINTER) == "GMT+1"
    assert offset_label("Europe/Berlin", SUMMER) == "GMT+2"
    assert offset_label("America/St_Johns", WINTER) == "GMT-3:30"
    assert offset_label("Asia/Kathmandu", WINTER) == "GMT+5:45"
    assert offset_label("UTC", WINTER) == "GMT"


def test_the_list_has_every_place_once_and_under_its_present_name() -> None:
    names = [zone.name for group in zone_groups(WINTER) for zone in group.zones]
    assert len(names) == len(set(names)) > 400
    assert {"UTC", "Asia/Kolkata", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(names)
    assert all(canonical_zone(name) == name for name in names)


def test_places_read_like_places() -> None:
    labels = {zone.name: zone.label for group in zone_groups(WINTER) for zone in group.zones}
    assert labels["America/Argentina/Buenos_Aires"] == "Buenos Aires, Argentina (GMT-3)"
    assert place_of("America/New_York") == "New York"
