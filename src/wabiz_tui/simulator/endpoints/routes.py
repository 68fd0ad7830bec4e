"""All of the pretend Graph API: which object answers what."""

from starlette.routing import Route

from wabiz_tui.simulator.account.uploads import SESSION
from wabiz_tui.simulator.endpoints import (
    accounts,
    analytics,
    blocks,
    call_permissions,
    history,
    media,
    messages,
    numbers,
    profile,
    qr_codes,
    registration,
    settings,
    subscriptions,
    templates,
    tokens,
    uploads,
    usernames,
)  # fmt: skip
from wabiz_tui.simulator.endpoints.gate import Edges, Node, graph_route
from wabiz_tui.simulator.world import World

NUMBER: Edges = {
    "": {"GET": numbers.look_up, "POST": numbers.change},
    "messages": {"POST": messages.messages},
    "marketing_messages": {"POST": messages.marketing_messages},
    "media": {"POST": media.upload},
    "block_users": {"GET": blocks.blocked, "POST": blocks.block, "DELETE": blocks.unblock},
    "register": {"POST": registration.register},
    "deregister": {"POST": registration.deregister},
    "request_code": {"POST": registration.request_code},
    "verify_code": {"POST": registration.verify_code},
    "settings": {"GET": settings.settings, "POST": settings.change_settings},
    "conversational_automation": {"POST": settings.change_automation},
    "whatsapp_business_profile": {"GET": profile.look_up, "POST": profile.change},
    "message_qrdls": {"GET": qr_codes.listed, "POST": qr_codes.create},
    "message_qrdls/": {"GET": qr_codes.look_up, "POST": qr_codes.create, "DELETE": qr_codes.delete},
    "message_history": {"GET": history.listed},
    "username": {"GET": usernames.username, "POST": usernames.set_username, "DELETE": usernames.remove_username},
    "username_suggestions": {"GET": usernames.username_suggestions},
    "contact_book": {"DELETE": numbers.forget_contact},
    "call_permissions": {"GET": call_permissions.look_up},
}
ACCOUNT: Edges = {
    "": {"GET": accounts.look_up, "POST": accounts.change},
    "phone_numbers": {"GET": numbers.listed},
    "message_templates": {"GET": templates.listed, "POST": templates.create, "DELETE": templates.delete},
    "template_analytics": {"GET": analytics.template_analytics},
    "subscribed_apps": {"GET": subscriptions.subscribed_apps, "POST": subscriptions.subscribe, "DELETE": subscriptions.unsubscribe},
}
TEMPLATE: Edges = {"": {"GET": templates.look_up, "POST": templates.edit}, "unpause": {"POST": templates.unpaused}}
MEDIA: Edges = {"": {"GET": media.look_up, "DELETE": media.delete}}
APP: Edges = {
    "": {"GET": subscriptions.app},
    "uploads": {"POST": uploads.begin},
    "subscriptions": {
        "GET": subscriptions.app_subscriptions, "POST": subscriptions.subscribe_app, "DELETE": subscriptions.unsubscribe_app,
    },
}  # fmt: skip
UPLOAD: Edges = {"": {"GET": uploads.look_up, "POST": uploads.send}}
HISTORY: Edges = {"events": {"GET": history.events}}

NODES = (
    Node(numbers.TYPE, lambda world, name: name in world.account.numbers, NUMBER),
    Node(accounts.TYPE, lambda world, name: name == world.options.waba_id, ACCOUNT),
    Node("Application", lambda world, name: name == world.options.app_id, APP),
    Node(templates.TYPE, lambda world, name: any(one["id"] == name for one in world.templates.items), TEMPLATE),
    Node("WhatsAppMedia", lambda world, name: world.media.find(name, world.now()) is not None, MEDIA),
    Node("WhatsAppMessageHistory", history.is_history, HISTORY),
    Node(uploads.TYPE, lambda world, name: name.removeprefix(SESSION) in world.account.uploads.sessions, UPLOAD),
)
FREE = {"debug_token": tokens.debug_token, "me": tokens.me, tokens.APP_TOKEN: tokens.app_token}


def graph_routes(world: World) -> list[Route]:
    """The last of them takes every path that no route before it took."""
    return [media.download_route(world), graph_route(world, NODES, FREE)]
