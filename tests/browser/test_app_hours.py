"""Hours are edited, and the public page follows at once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import owner, told
from tests.browser.site import Site, Visitors, violations

ZONE = "Europe/Berlin"


def coming(weekday: int, weeks: int = 1) -> date:
    """A date some weeks ahead on a weekday, Monday being 0."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    return today + timedelta(days=(weekday - today.weekday()) % 7 + 7 * weeks)


def starts(site: Site, slug: str, day: date) -> list[str]:
    """The times that recipients are offered on a date."""
    asked = {"from": str(day), "to": str(day), "duration": "30", "timezone": ZONE}
    days = site.client.get(f"/api/v1/public/demo.{slug}/availability", params=asked).json()["days"]
    return [slot["start"][11:16] for found in days for slot in found["slots"]]


def schedule_for(site: Site, name: str) -> str:
    """A schedule of the owner's, Monday to Friday 09:00 to 12:00, and a link of the same name that uses it."""
    weekly = {day: [["09:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    body = {"name": name, "timezone": ZONE, "weekly": weekly}
    made: str = site.api("POST", "/schedules", json=body)["id"]
    site.make_link(name, schedule_id=made, horizon_days=400)
    return made


def ranges(page: Page, day: str) -> list[str]:
    """What stands in the inputs of a weekday."""
    inputs = page.get_by_role("group", name=day).locator("input[type=time]")
    return [inputs.nth(index).input_value() for index in range(inputs.count())]


@pytest.mark.parametrize("js", [True, False])
def test_weekly_hours_with_a_break(visitors: Visitors, site: Site, js: bool) -> None:
    slug = f"weekly-{js}".lower()
    schedule = schedule_for(site, slug)
    wednesday = coming(2)
    assert starts(site, slug, wednesday)[0] == "09:00"
    page = owner(visitors, js=js)
    page.goto(f"/app/availability/{schedule}")
    page.get_by_label("Wednesday, range 1: from").fill("10:00")
    page.get_by_role("button", name="Wednesday: add a range").click()
    page.get_by_label("Wednesday, range 2: from").fill("14:00")
    page.get_by_label("Wednesday, range 2: until").fill("15:00")
    page.get_by_label("Thursday, range 1: from").fill("")
    page.get_by_label("Thursday, range 1: until").fill("")
    page.get_by_role("button", name="Save hours").click()
    told(page, "Saved.")
    assert ranges(page, "Wednesday") == ["10:00", "12:00", "14:00", "15:00"]
    assert starts(site, slug, wednesday) == ["10:00", "10:30", "11:00", "11:30", "14:00", "14:30"]
    assert starts(site, slug, wednesday + timedelta(days=1)) == []
    recipient = visitors.page(js=js, timezone=ZONE)
    recipient.goto(f"/demo/{slug}?day={wednesday}&tz={ZONE}")
    assert recipient.locator("a.slot").all_inner_texts() == ["10:00", "10:30", "11:00", "11:30", "14:00", "14:30"]


def test_ranges_are_added_and_removed_on_the_spot(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto(f"/app/availability/{schedule_for(site, 'spot')}")
    page.get_by_role("button", name="Saturday: add a range").click()
    expect(page.get_by_label("Saturday, range 1: from")).to_be_focused()
    page.get_by_label("Saturday, range 1: from").fill("22:00")
    page.get_by_label("Saturday, range 1: until").fill("00:00")
    page.get_by_role("button", name="Monday: remove range 1").click()
    expect(page.get_by_role("group", name="Monday")).to_contain_text("Closed")
    assert violations(page) == []
    page.get_by_role("button", name="Save hours").click()
    told(page, "Saved.")
    assert starts(site, "spot", coming(5)) == ["22:00", "22:30", "23:00", "23:30"]
    assert starts(site, "spot", coming(0)) == []


def test_monday_is_copied_to_the_other_weekdays(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto(f"/app/availability/{schedule_for(site, 'copied')}")
    page.get_by_label("Monday, range 1: from").fill("08:00")
    page.get_by_role("button", name="Copy Monday to Tuesday–Friday").click()
    expect(page.get_by_label("Friday, range 1: from")).to_have_value("08:00")
    assert ranges(page, "Saturday") == []
    page.get_by_role("button", name="Save hours").click()
    told(page, "Saved.")
    assert starts(site, "copied", coming(4))[0] == "08:00"


def test_hours_that_make_no_sense_are_told_at_their_day(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto(f"/app/availability/{schedule_for(site, 'senseless')}")
    page.get_by_label("Tuesday, range 1: until").fill("")
    page.get_by_role("button", name="Save hours").click()
    expect(page.get_by_role("alert")).to_contain_text("Each range needs a begin and an end.")
    expect(page.get_by_role("group", name="Tuesday")).to_contain_text("Each range needs a begin and an end.")
    assert violations(page) == []


@pytest.mark.parametrize("js", [True, False])
def test_a_date_of_its_own_and_a_closed_one(visitors: Visitors, site: Site, js: bool) -> None:
    slug = f"dated-{js}".lower()
    schedule, tuesday = schedule_for(site, slug), coming(1)
    page = owner(visitors, js=js)
    page.goto(f"/app/availability/{schedule}")
    for day, hours in ((tuesday, ("18:00", "19:00")), (tuesday + timedelta(days=1), ("", ""))):
        page.get_by_text("Add a date").click()
        page.get_by_label("Date", exact=True).fill(str(day))
        page.get_by_label("Hours, range 1: from").fill(hours[0])
        page.get_by_label("Hours, range 1: until").fill(hours[1])
        page.get_by_role("button", name="Add date").click()
        told(page, "Saved.")
    assert starts(site, slug, tuesday) == ["18:00", "18:30"]
    assert starts(site, slug, tuesday + timedelta(days=1)) == []
    section = page.get_by_role("region", name="Other hours on a date")
    expect(section.get_by_role("listitem")).to_have_count(2)
    section.get_by_role("button", name=re.compile("Remove")).last.click()
    told(page, "Saved.")
    assert starts(site, slug, tuesday + timedelta(days=1))[0] == "09:00"


def test_days_off_and_public_holidays(visitors: Visitors, site: Site) -> None:
    schedule, monday = schedule_for(site, "closed"), coming(0, 2)
    page = owner(visitors)
    page.goto(f"/app/availability/{schedule}")
    page.get_by_text("Add days off").first.click()
    page.get_by_label("First day").first.fill(str(monday))
    page.get_by_label("Last day").first.fill(str(monday + timedelta(days=1)))
    page.get_by_label("Reason").first.fill("Company outing")
    page.get_by_role("button", name="Add days off").click()
    told(page, "Saved.")
    expect(page.get_by_text("Company outing")).to_be_visible()
    assert starts(site, "closed", monday) == starts(site, "closed", monday + timedelta(days=1)) == []
    assert starts(site, "closed", monday + timedelta(days=2)) != []
    page.get_by_role("region", name="Days off this schedule").get_by_role("button", name=re.compile("Remove")).click()
    told(page, "Saved.")
    assert starts(site, "closed", monday) != []
    holiday = next(day for day in _new_years_days() if day.weekday() < 5)
    if (holiday - datetime.now(UTC).date()).days < 380:
        assert starts(site, "closed", holiday) != []
    page.get_by_label("Closed on public holidays of").select_option("Germany")
    page.get_by_role("button", name="Save hours").click()
    told(page, "Saved.")
    expect(page.get_by_text(re.compile("^Next: "))).to_be_visible()
    assert starts(site, "closed", holiday) == []


def _new_years_days() -> list[date]:
    year = datetime.now(UTC).year
    return [date(year + later, 1, 1) for later in range(1, 8)]


def test_time_off_takes_hours_and_days_away_from_all_links(visitors: Visitors, site: Site) -> None:
    schedule, thursday = schedule_for(site, "away"), coming(3, 3)
    page = owner(visitors)
    page.goto(f"/app/availability/{schedule}")
    form = page.get_by_role("region", name="Time off")
    form.get_by_text("Take time off").first.click()
    form.get_by_label("First day").fill(str(thursday))
    form.get_by_label("From").fill("10:00")
    form.get_by_label("Until").fill("11:00")
    form.get_by_label("Reason").fill("Dentist")
    form.get_by_role("button", name="Take time off").click()
    told(page, "Your time off is kept.")
    assert starts(site, "away", thursday) == ["09:00", "09:30", "11:00", "11:30"]
    form.get_by_text("Take time off").first.click()
    form.get_by_label("First day").fill(str(thursday + timedelta(days=1)))
    form.get_by_role("button", name="Take time off").click()
    assert starts(site, "away", thursday + timedelta(days=1)) == []
    line = form.get_by_role("listitem").filter(has_text="Dentist")
    line.get_by_role("button", name=re.compile("Remove")).click()
    told(page, "Saved.")
    assert "10:00" in starts(site, "away", thursday)


def test_schedules_are_made_chosen_and_deleted(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto("/app/availability")
    page.get_by_text("New schedule").click()
    page.get_by_label("Name", exact=True).fill("Summer")
    page.get_by_role("button", name="Make schedule").click()
    told(page, "Made.")
    expect(page.get_by_label("Name of this schedule")).to_have_value("Summer")
    page.get_by_role("button", name="Make this the default").click()
    told(page, "Saved.")
    names = [each["name"] for each in site.api("GET", "/schedules")["items"] if each["is_default"]]
    assert names == ["Summer"]
    page.get_by_role("navigation", name="Schedules").get_by_role("link", name="Working hours").click()
    page.get_by_role("button", name="Make this the default").click()
    page.get_by_role("navigation", name="Schedules").get_by_role("link", name="Summer").click()
    page.get_by_role("link", name="Delete this schedule").click()
    page.get_by_role("button", name="Delete schedule").click()
    told(page, "Deleted.")
    assert "Summer" not in [each["name"] for each in site.api("GET", "/schedules")["items"]]
