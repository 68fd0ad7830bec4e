"""The templates a pretend account begins with: one of each state and form a picker must cope with."""

import re

from wabiz_tui.graph.reading import Json, object_of

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


def _template(number: int, name: str, language: str, category: str, *, status: str = "APPROVED", body: str, **parts: object) -> Json:
    names = list(dict.fromkeys(_VARIABLE.findall(body)))
    named = any(not one.isdigit() for one in names)
    text: Json = {"type": "BODY", "text": body}
    if names and named:
        text["example"] = {"body_text_named_params": [{"param_name": one, "example": "…"} for one in names]}
    elif names:
        text["example"] = {"body_text": [["…"] * len(names)]}
    components: list[Json] = [text]
    if "header" in parts:
        components.insert(0, object_of(parts["header"]))
    if "footer" in parts:
        components.append({"type": "FOOTER", "text": parts["footer"]})
    if "buttons" in parts:
        components.append({"type": "BUTTONS", "buttons": parts["buttons"]})
    return {
        "id": f"9000000000{number:05d}",
        "name": name,
        "language": language,
        "status": status,
        "category": category,
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "components": components,
        "quality_score": {"score": "GREEN" if status == "APPROVED" else "UNKNOWN", "date": 1790000000},
        "rejected_reason": "INVALID_FORMAT" if status == "REJECTED" else "NONE",
    }


def shipped() -> list[Json]:
    """One of each state and form a picker must cope with."""
    return [
        _template(1, "hello_world", "en_US", "UTILITY", body="Welcome and congratulations!!", footer="WhatsApp Business Platform"),
        _template(2, "appointment_reminder", "en", "UTILITY", body="Hello {{1}}, we expect you on {{2}}. Is that all right?"),
        _template(3, "appointment_reminder", "de", "UTILITY", body="Hallo {{1}}, wir erwarten Sie am {{2}}. Passt das noch?"),
        _template(
            4,
            "order_ready",
            "en",
            "UTILITY",
            body="Hello {{customer_name}}, your order {{order_number}} is ready to collect.",
            header={"type": "HEADER", "format": "TEXT", "text": "Ready for you"},
            buttons=[{"type": "QUICK_REPLY", "text": "I'm coming"}, {"type": "QUICK_REPLY", "text": "Please deliver"}],
        ),
        _template(5, "we_missed_you", "en", "UTILITY", body="Hello {{1}}, may we pick up our conversation again?"),
        _template(6, "we_missed_you", "es", "UTILITY", body="Hola {{1}}, ¿retomamos nuestra conversación?"),
        _template(7, "we_missed_you", "ar", "UTILITY", body="مرحبًا {{1}}، هل يمكننا متابعة محادثتنا؟"),
        _template(8, "spring_sale", "en", "MARKETING", status="PAUSED", body="Spring is here, {{1}}: twenty percent off all tyres."),
        _template(9, "autumn_news", "en", "MARKETING", status="PENDING", body="New in the shop this autumn."),
        _template(10, "free_bike", "en", "MARKETING", status="REJECTED", body="You have won a bike!!!"),
        _template(11, "old_offer", "en", "MARKETING", status="DISABLED", body="An offer of long ago."),
    ]
