"""The templates the pretend account has, and what a template send must fit (cloud-api §5)."""

import re

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.model.content import Template

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


class Templates:
    """The account's templates by name and language."""

    def __init__(self, items: list[Json] | None = None) -> None:
        self.items = shipped() if items is None else items

    def find(self, name: str, language: str) -> Json | None:
        return next((one for one in self.items if (one["name"], one["language"]) == (name, language)), None)

    def check(self, template: Template) -> Json:
        """The template a send names. Raises CloudError 132001, 132015, 132016, 132000 or 132012 with telling details."""
        code = word(object_of(template.language).get("code"))
        if not code:
            raise graph_error(131008, "The parameter template.language.code is required")
        found = self.find(template.name, code)
        if found is None or found["status"] not in ("APPROVED", "PAUSED", "DISABLED"):
            raise graph_error(132001, f"template name ({template.name}) does not exist in {code}")
        if found["status"] != "APPROVED":
            raise graph_error(
                132015 if found["status"] == "PAUSED" else 132016, f"template {template.name} is {word(found['status']).lower()}"
            )
        _check_parameters(found, template)
        return found


def _check_parameters(found: Json, template: Template) -> None:
    body = next(object_of(one) for one in list_of(found["components"]) if object_of(one).get("type") == "BODY")
    expected = list(dict.fromkeys(_VARIABLE.findall(word(body.get("text")))))
    given = [
        object_of(one)
        for part in template.components
        if word(part.get("type")).lower() == "body"
        for one in list_of(part.get("parameters"))
    ]
    if len(given) != len(expected):
        details = f"body: number of localizable_params ({len(given)}) does not match the expected number of params ({len(expected)})"
        raise graph_error(132000, details)
    for index, parameter in enumerate(given):
        if word(parameter.get("type")) not in ("text", "currency", "date_time"):
            raise graph_error(132012, f"body: parameter {index + 1} must be of type text")
        if found["parameter_format"] == "NAMED" and word(parameter.get("parameter_name")) not in expected:
            raise graph_error(132012, f"body: parameter {index + 1} needs a parameter_name out of {', '.join(expected)}")
