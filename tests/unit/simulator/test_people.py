"""Who the simulator's customers are to Meta."""

import pytest

from wabiz_tui.simulator.customers.people import country_of, made_user_id


@pytest.mark.parametrize(
    ("phone", "country"),
    [("4915730001001", "DE"), ("447700900120", "GB"), ("77012345678", "KZ"), ("15550783881", "US"), ("881234567890", "US"), ("abc", "US")],
)
def test_the_user_id_names_the_country_of_the_number(phone: str, country: str) -> None:
    """A made-up number has the country of its calling code; one that belongs to no country counts as American."""
    assert country_of(phone) == country
    assert made_user_id(phone).startswith(f"{country}.")
