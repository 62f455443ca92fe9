from datetime import date

import pytest

from app.domain.holiday_dates import country_holidays, supported_countries


def test_public_holidays_of_all_years_asked_for() -> None:
    found = country_holidays("DE", 2026, 2028)
    assert {date(2026, 12, 25), date(2027, 12, 25), date(2028, 12, 25)} <= found
    assert date(2027, 3, 26) in found  # Good Friday moves
    assert {day.year for day in found} == {2026, 2027, 2028}


def test_a_holiday_on_a_weekend_is_observed_where_the_country_does_so() -> None:
    """4 July 2027 is a Sunday."""
    assert {date(2027, 7, 4), date(2027, 7, 5)} <= country_holidays("US", 2027, 2027)


def test_the_same_question_gives_the_same_object() -> None:
    """Its hash is then worked out once, and schedules are looked up by it."""
    assert country_holidays("FR", 2027, 2028) is country_holidays("FR", 2027, 2028)


@pytest.mark.parametrize("country", ["XX", "", "us", "USA", "Germany"])
def test_an_unknown_country_is_refused(country: str) -> None:
    assert country not in supported_countries()
    with pytest.raises(ValueError, match="no public holidays"):
        country_holidays(country, 2027, 2027)


def test_countries_are_alpha_2_codes() -> None:
    assert {"US", "DE", "GB", "JP", "BR"} <= supported_countries()
    assert all(len(code) == 2 and code.isupper() for code in supported_countries())
