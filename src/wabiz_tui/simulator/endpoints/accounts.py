"""The WhatsApp Business Account as an object, with what is counted of it."""

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.endpoints.analytics import ANALYTICS, count
from wabiz_tui.simulator.endpoints.call import Call
from wabiz_tui.simulator.endpoints.fields import Field, parse_fields, shown
from wabiz_tui.simulator.endpoints.numbers import IN_LISTS, describe, health_of_account
from wabiz_tui.simulator.endpoints.numbers import TYPE as NUMBER_TYPE
from wabiz_tui.simulator.endpoints.subscriptions import subscribed_apps

TYPE = "WhatsAppBusinessAccount"
DEFAULT = ("id", "name", "timezone_id", "message_template_namespace")


async def look_up(call: Call) -> Json:
    fields = parse_fields(call.word("fields"))
    whole = await _describe(call)
    for field in fields:
        if field.name in ANALYTICS:
            whole[field.name] = count(call.world, field)
        elif field.name == "phone_numbers":
            rows = [describe(call.world, one) for one in call.world.account.numbers.values()]
            whole[field.name] = {"data": [shown(row, field.inner, IN_LISTS, NUMBER_TYPE) for row in rows]}
        elif field.name == "message_templates":
            whole[field.name] = {"data": [_inner(item, field) for item in call.world.templates.items]}
    return shown(whole, fields, DEFAULT, TYPE)


def _inner(item: Json, field: Field) -> Json:
    return shown(item, field.inner, ("name", "status", "category", "language"), "WhatsAppMessageTemplate")


async def _describe(call: Call) -> Json:
    world, business = call.world, call.world.account
    waba = world.options.waba_id
    return {
        "id": waba,
        "name": world.business,
        "currency": "EUR",
        "country": "DE",
        "timezone_id": "42",
        "message_template_namespace": f"namespace_{waba}",
        "account_review_status": business.review,
        "business_verification_status": business.verification,
        "ownership_type": "SELF_OWNED",
        "status": "ACTIVE",
        "is_enabled_for_insights": True,
        "marketing_messages_lite_api_status": "ONBOARDED",
        "marketing_messages_onboarding_status": "ONBOARDED",
        "on_behalf_of_business_info": {"id": f"{waba}0", "name": world.business, "status": "APPROVED", "type": "SELF"},
        "owner_business_info": {"id": f"{waba}0", "name": world.business},
        "primary_funding_id": None,
        "purchase_order_number": None,
        "primary_business_location": "DE",
        "disable_marketing_messages_on_cloud_api": not business.is_marketing_allowed,
        "whatsapp_business_manager_messaging_limit": business.reach.tier,
        "health_status": health_of_account(world),
        "subscribed_apps": await subscribed_apps(call),
        "phone_numbers": None,
        "message_templates": None,
        **dict.fromkeys(ANALYTICS),
    }


async def change(call: Call) -> Json:
    name, is_off = call.word("name"), call.flag("disable_marketing_messages_on_cloud_api")
    if not name and is_off is None and not any(key in call.given for key in ("timezone_id", "is_enabled_for_insights")):
        raise graph_error(100, "One of name, timezone_id, is_enabled_for_insights or disable_marketing_messages_on_cloud_api is required.")
    if len(name) > 100:
        raise graph_error(100, "Param name must be at most 100 characters long.")
    if name:
        call.world.business = name
    if is_off is not None:
        call.world.account.is_marketing_allowed = not is_off
    return {"success": True}
