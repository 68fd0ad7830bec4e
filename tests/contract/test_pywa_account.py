"""pywa, unmodified but for its base URL, keeps a business's account through `wabiz simulator serve`."""

from collections.abc import Iterator

import pytest
import pywa
from pywa import types
from pywa.errors import BulkBlockingFailed, WhatsAppError
from pywa.types import Pagination, others
from pywa.types import templates as parts
from pywa.types.templates import Template, TemplateCategory, TemplateLanguage, TemplateStatus

from tests.support.pywa_bot import Bot, pywa_bot
from tests.support.pywa_client import APP, pywa_client
from tests.support.pywa_sends import PNG
from tests.support.pywa_templates import KINDS, Kind
from tests.support.simulator_process import APP_SECRET, NUMBER, SECOND_NUMBER, VERIFY, WABA, SimulatorProcess, simulator_process

CUSTOMER, STRANGER = "4915730000077", "4915730000099"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def wa(simulator: SimulatorProcess) -> Iterator[pywa.WhatsApp]:
    with pywa_client(simulator.url) as client:
        yield client


def is_told(bot: Bot, text: str) -> bool:
    """Waits for the message; what was told before there was a callback may come first."""
    while True:
        heard_as, update = bot.hear()
        if heard_as == "message" and update.text == text:
            return True


@pytest.fixture
def bot(simulator: SimulatorProcess) -> Iterator[Bot]:
    with pywa_bot(simulator) as bot:
        yield bot


def test_templates_are_listed_page_by_page(wa: pywa.WhatsApp) -> None:
    """Every template comes once over pages of three, each whole and alike when looked up by its id."""
    first = wa.get_templates(pagination=Pagination(limit=3))
    names = [template.id for template in first]
    page = first
    while page.has_next:
        # pywa 4.5.0 cannot make the next page of templates of itself; it goes on from the cursor.
        page = wa.get_templates(pagination=Pagination(limit=3, after=page.after))
        names += [template.id for template in page]

    assert len(first) == 3
    assert len(names) == len(set(names)) == first.total_count
    looked_up = wa.get_template(names[0])
    assert (looked_up.id, looked_up.name, looked_up.status) == (first[0].id, first[0].name, first[0].status)


def test_templates_are_found_by_what_they_are(wa: pywa.WhatsApp) -> None:
    """pywa's filters narrow by status, category, language and name."""
    german = wa.get_templates(languages=[TemplateLanguage.GERMAN])
    paused = wa.get_templates(statuses=[TemplateStatus.PAUSED, TemplateStatus.DISABLED], categories=[TemplateCategory.MARKETING])
    named = wa.get_templates(name="order_ready")

    assert {template.name for template in german} == {"appointment_reminder"}
    assert {template.status for template in paused} == {TemplateStatus.PAUSED, TemplateStatus.DISABLED}
    (ready,) = named
    assert [type(part) for part in ready.components] == [parts.HeaderText, parts.BodyText, parts.Buttons]


def test_template_lives_from_creation_to_deletion(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """A template with every plain part is created, reviewed, sent, edited and deleted."""
    template = Template(
        name="pickup_ready",
        language=TemplateLanguage.ENGLISH,
        category=TemplateCategory.UTILITY,
        components=[
            parts.HeaderText("Order {{1}} now", "7"),
            parts.BodyText("Hello {{1}}, please come by.", "Zoë"),
            parts.FooterText(text="Speiche"),
            parts.Buttons(
                buttons=[
                    parts.QuickReplyButton(text="Coming"),
                    parts.URLButton(text="Track", url="https://shop.example/{{1}}", example="https://shop.example/7"),
                    parts.PhoneNumberButton(text="Call", phone_number="+493055570100"),
                ]
            ),
        ],
    )
    created = wa.create_template(template)
    assert (created.status, created.category) == (TemplateStatus.PENDING, TemplateCategory.UTILITY)
    assert [type(part) for part in wa.get_template(created.id).components] == [type(part) for part in template.components]
    simulator.control("clock", advance="1d")
    assert wa.get_template(created.id).status == TemplateStatus.APPROVED

    sent = wa.send_template(
        CUSTOMER,
        name="pickup_ready",
        language=TemplateLanguage.ENGLISH,
        params=[
            parts.HeaderText.params("7"),
            parts.BodyText.params("Zoë"),
            parts.QuickReplyButton.params(callback_data="coming", index=0),
            parts.URLButton.params(url_variable="7", index=1),
        ],
    )
    assert [part["type"] for part in simulator.sent(sent.id)["body"]["template"]["components"]] == ["HEADER", "BODY", "button", "button"]

    edited = wa.update_template(created.id, new_components=[parts.BodyText("Hello {{1}}, come by today.", "Zoë")])
    assert edited.success
    assert len(wa.get_template(created.id).components) == 1
    assert wa.delete_template("pickup_ready").success
    with pytest.raises(WhatsAppError):
        wa.get_template(created.id)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_template_of_every_kind_is_made_and_sent(wa: pywa.WhatsApp, simulator: SimulatorProcess, kind: Kind) -> None:
    """Samples go up through the resumable upload; approved, the template is sent with what pywa fills into each of its parts."""
    template = Template(name=kind.name, language=TemplateLanguage.ENGLISH, category=kind.category, components=kind.made)
    created = wa.create_template(template)
    simulator.control("clock", advance="1d")

    sent = wa.send_template(CUSTOMER, name=kind.name, language=TemplateLanguage.ENGLISH, params=kind.params)

    assert [type(part) for part in wa.get_template(created.id).components] == [type(part) for part in kind.made]
    assert simulator.sent(sent.id)["body"]["template"]["components"] == kind.sent


def test_paused_template_is_resumed(wa: pywa.WhatsApp) -> None:
    """A paused template sends again once it is unpaused; one that is not paused is refused with Meta's reason."""
    (paused,) = wa.get_templates(statuses=[TemplateStatus.PAUSED])

    assert wa.unpause_template(paused.id).success

    assert wa.get_template(paused.id).status == TemplateStatus.APPROVED
    with pytest.raises(WhatsAppError, match="paused"):
        wa.unpause_template(paused.id)


def test_marketing_messages_go_by_their_own_api(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """pywa's Marketing Messages API call takes marketing templates and no others."""
    created = wa.create_template(
        Template(
            name="autumn_tyres",
            language=TemplateLanguage.ENGLISH,
            category=TemplateCategory.MARKETING,
            components=[parts.BodyText("New tyres are here.")],
        )
    )
    simulator.control("clock", advance="1d")

    sent = wa.send_template(CUSTOMER, name="autumn_tyres", language=TemplateLanguage.ENGLISH, use_mm_lite_api=True)

    assert simulator.sent(sent.id)["body"]["template"]["name"] == "autumn_tyres"
    assert wa.get_template(created.id).status == TemplateStatus.APPROVED
    with pytest.raises(WhatsAppError):
        wa.send_template(CUSTOMER, name="hello_world", language=TemplateLanguage.ENGLISH_US, use_mm_lite_api=True)


def test_numbers_and_account_are_read(wa: pywa.WhatsApp) -> None:
    """Number, numbers over pages, and account come with every field pywa asks for."""
    number = wa.get_business_phone_number()
    one = wa.get_business_phone_numbers(pagination=Pagination(limit=1))
    account = wa.get_business_account()

    assert (number.id, number.status, number.throughput) == (NUMBER, "CONNECTED", {"level": "STANDARD"})
    assert number.health_status is not None
    assert number.health_status["can_send_message"] == "AVAILABLE"
    assert [each.id for each in one.all()] == [NUMBER, SECOND_NUMBER]
    assert [each.id for each in one.next().previous()] == [NUMBER]
    assert (account.id, account.account_review_status) == (WABA, "APPROVED")


def test_settings_of_number_and_account_are_changed(wa: pywa.WhatsApp) -> None:
    """Identity check, storage, conversational components, display name and the account's marketing switch are kept."""
    identity = others.UserIdentityChangeSettings(enable_identity_key_check=True)
    assert wa.update_business_phone_number_settings(user_identity_change=identity).success
    storage = others.StorageConfiguration(status=others.StorageStatus.DEFAULT)
    assert wa.update_business_phone_number_settings(storage_configuration=storage).success
    commands = [types.Command(name="hours", description="When we are open")]
    assert wa.update_conversational_automation(ice_breakers=["Are you open?"], commands=commands).success
    assert wa.update_display_name("Speiche Bikes").success
    wa.update_business_account_settings(disable_marketing_messages_on_cloud_api=True)

    assert wa.get_business_phone_number_settings().user_identity_change == identity
    automation = wa.get_business_phone_number().conversational_automation
    assert automation is not None
    assert (automation.ice_breakers, automation.commands) == (("Are you open?",), tuple(commands))
    assert wa.get_business_account().disable_marketing_messages_on_cloud_api is True
    wa.update_business_account_settings(disable_marketing_messages_on_cloud_api=False)


def test_profile_is_kept(wa: pywa.WhatsApp) -> None:
    """What is written into the profile is read again, a picture by its upload."""
    told = {
        "about": "Bikes",
        "address": "Hof 1",
        "description": "We mend",
        "email": "hello@shop.example",
        "websites": ("https://shop.example",),
        "industry": others.Industry.RETAIL,
    }
    assert wa.update_business_profile(**told, profile_picture=PNG).success

    profile = wa.get_business_profile()

    assert {name: getattr(profile, name) for name in told} == told
    assert profile.profile_picture_url


def test_users_are_blocked_and_freed(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """Who wrote within a day can be blocked; of a list that fails in part pywa raises its own error."""
    simulator.meet(CUSTOMER)

    assert [user.wa_id for user in wa.block_users([CUSTOMER]).added_users] == [CUSTOMER]
    assert [user.wa_id for user in wa.get_blocked_users()] == [CUSTOMER]
    assert [user.wa_id for user in wa.unblock_users([CUSTOMER]).removed_users] == [CUSTOMER]
    assert len(wa.get_blocked_users()) == 0
    with pytest.raises(BulkBlockingFailed):
        wa.block_users([CUSTOMER, STRANGER])
    wa.unblock_users([CUSTOMER])


def test_qr_codes_are_made_changed_and_deleted(wa: pywa.WhatsApp) -> None:
    """A code keeps its name while its message changes, and is nobody's when deleted."""
    code = wa.create_qr_code("I want a bike", image_type="SVG")
    assert code.qr_image_url

    changed = wa.update_qr_code(code.code, "I want a cargo bike")

    found = wa.get_qr_code(code.code)
    assert found is not None
    assert (changed.code, found.prefilled_message, found.deep_link_url) == (code.code, "I want a cargo bike", code.deep_link_url)
    assert [each.code for each in wa.get_qr_codes(image_type="PNG")] == [code.code]
    assert wa.delete_qr_code(code.code).success
    assert wa.get_qr_code(code.code) is None


def test_username_is_set_and_given_up(wa: pywa.WhatsApp) -> None:
    """A free name is taken, told and given up; Meta's own suggestions are names."""
    assert wa.get_reserved_usernames()
    assert wa.set_username("speiche.bikes").username == "speiche.bikes"
    assert wa.get_current_username().username == "speiche.bikes"
    assert wa.delete_username().success


def test_number_is_registered(wa: pywa.WhatsApp, simulator: SimulatorProcess) -> None:
    """The steps of onboarding succeed in their order, on a number of its own."""
    assert wa.deregister_phone_number(phone_id=SECOND_NUMBER).success
    assert wa.request_verification_code(code_method="SMS", language_code="en", phone_id=SECOND_NUMBER).success
    assert wa.verify_phone_number("123456", phone_id=SECOND_NUMBER).success
    simulator.control("clock", advance="10m")
    assert wa.register_phone_number("123456", phone_id=SECOND_NUMBER).success


def test_callbacks_are_registered_by_pywa_itself(wa: pywa.WhatsApp, simulator: SimulatorProcess, bot: Bot) -> None:
    """App, account and number take a callback over pywa, each with the handshake, and the nearest one is told."""
    token = wa.get_app_access_token(int(APP), APP_SECRET)
    assert wa.set_app_callback_url(int(APP), token, bot.url, VERIFY, fields=["messages"]).success
    simulator.control("inbound", **{"from": CUSTOMER}, text="To the app")
    assert is_told(bot, "To the app")

    with pywa_bot(simulator) as nearer:
        assert wa.override_waba_callback_url(nearer.url, VERIFY).success
        simulator.control("inbound", **{"from": CUSTOMER}, text="To the account")
        assert is_told(nearer, "To the account")
        assert wa.delete_waba_callback_url().success

        assert wa.override_phone_callback_url(nearer.url, VERIFY).success
        simulator.control("inbound", **{"from": CUSTOMER}, text="To the number")
        assert is_told(nearer, "To the number")
        assert wa.delete_phone_callback_url().success

    simulator.control("inbound", **{"from": CUSTOMER}, text="To the app again")
    assert is_told(bot, "To the app again")


def test_wrong_app_secret_gets_no_token(wa: pywa.WhatsApp) -> None:
    """The app's own token is for who knows the app secret."""
    with pytest.raises(WhatsAppError, match="client secret"):
        wa.get_app_access_token(int(APP), "another")
