"""The templates of the pretend account: what there is, what may be done with each, and what a send of one must fit (cloud-api §5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wabiz_tui.graph.errors import graph_error
from wabiz_tui.graph.limits import refusing
from wabiz_tui.graph.reading import Json, list_of, object_of, word
from wabiz_tui.graph.templates import check_definition
from wabiz_tui.model.content import Template
from wabiz_tui.simulator.account.shipped_templates import shipped
from wabiz_tui.simulator.account.template_sends import check_send
from wabiz_tui.simulator.refusals import Refusal, invalid, no_object

PER_HOUR, MOST = 100, 6000
RESERVED_FOR = timedelta(days=30)
EDITS_A_DAY, EDITS_A_MONTH = 1, 10
STATUSES = (
    "APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION", "LIMIT_EXCEEDED", "LOCKED", "FLAGGED",
    "ARCHIVED",
)  # fmt: skip
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
_HOUR, _DAY, _MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)


@dataclass
class Life:
    """What is not shown of a template: when it was edited, how often it was paused, and how many sends pacing still holds.

    `by_pacing` pauses need a manual unpause; the others end by themselves."""

    edits: list[datetime] = field(default_factory=list[datetime])
    pauses: int = 0
    by_pacing: bool = False
    held: int = 0
    review: int = 0
    """Counts the reviews, so that one that was overtaken says nothing."""


class Templates:
    """The account's templates by name and language; `items` are as the API shows them."""

    def __init__(self, items: Sequence[Json] | None = None, *, per_hour: int = PER_HOUR, most: int = MOST) -> None:
        self.items = shipped() if items is None else list(items)
        self.per_hour, self.most = per_hour, most
        self._lives: dict[str, Life] = {}
        self._created: list[datetime] = []
        self._reserved: dict[str, datetime] = {}
        self._next = 100

    def find(self, name: str, language: str) -> Json | None:
        """Languages are compared as they are: en is not en_US (132001)."""
        return next((one for one in self.items if (one["name"], one["language"]) == (name, language)), None)

    def get(self, name: str) -> Json:
        """By id. Raises Refusal 100 for one that is not there."""
        found = next((one for one in self.items if one["id"] == name), None)
        if found is None:
            raise no_object(name)
        return found

    def life(self, item: Json) -> Life:
        return self._lives.setdefault(word(item["id"]), Life())

    def check(self, template: Template, now: datetime) -> Json:
        """The template a send names. Raises CloudError 132001, 132015, 132016 and those of check_send, with telling details."""
        code = word(object_of(template.language).get("code"))
        if not code:
            raise graph_error(131008, "The parameter template.language.code is required")
        found = self.find(template.name, code)
        if found is None or found["status"] not in ("APPROVED", "PAUSED", "DISABLED"):
            raise graph_error(132001, f"template name ({template.name}) does not exist in {code}")
        if found["status"] != "APPROVED":
            raise graph_error(132015 if found["status"] == "PAUSED" else 132016, f"template {template.name} is {found['status'].lower()}")
        check_send(found, template, now)
        return found

    def create(self, asked: Json, now: datetime) -> Json:
        """A new template, PENDING. Raises what check_definition finds (2388040 and the like), 2388019 (too many), 2388023 (the name is
        still reserved), 2388024 (there is one already) or CloudError 80007 above a hundred an hour."""
        with refusing():
            check_definition(asked)
        name, language = word(asked["name"]), word(asked["language"])
        self._created = [at for at in self._created if now - at < _HOUR]
        if len(self._created) >= self.per_hour:
            raise graph_error(80007, f"Only {self.per_hour} templates can be created in an hour")
        if len(self.items) >= self.most:
            raise graph_error(2388019, f"The account has {self.most} templates: delete some first")
        if self._is_reserved(name, now):
            text = f"The name {name} was deleted: it can be used again 30 days after that."
            invalid(2388023, "Message template language is being deleted", text)
        if self.find(name, language) is not None:
            invalid(2388024, "Content in this language already exists", f"There is already {language} content for this template.")
        siblings = [one for one in self.items if one["name"] == name]
        category = word(asked["category"]).upper()
        if siblings and siblings[0]["category"] != category and not asked.get("allow_category_change"):
            text = f"The other languages of this template are {siblings[0]['category']}: choose that category."
            invalid(2388025, "Category doesn't match", text)
        self._created.append(now)
        self._next += 1
        item = _shown(asked, f"9000000000{self._next:05d}", name, language, category, now=now)
        self.items.append(item)
        return item

    def put(self, asked: Json, status: str, now: datetime) -> None:
        """One that is there from the start, in place of what has its name and language; no limit on creation counts it."""
        name, language, category = word(asked["name"]), word(asked["language"]), word(asked["category"]).upper()
        self.items = [one for one in self.items if (one["name"], one["language"]) != (name, language)]
        self._next += 1
        self.items.append({**_shown(asked, f"9000000000{self._next:05d}", name, language, category, now=now), "status": status})

    def edit(self, item: Json, asked: Json, now: datetime) -> None:
        """Replaces its components and sends it back to review. Raises 2388039 for a status that may not be edited or too many edits."""
        life = self.life(item)
        if item["status"] not in EDITABLE:
            raise graph_error(2388039, f"The template is {word(item['status'])}: only approved, rejected and paused ones can be edited")
        category = word(asked.get("category")).upper()
        is_approved = item["status"] == "APPROVED"
        if is_approved and category and category != item["category"]:
            raise graph_error(2388039, "The category of an approved template cannot be edited")
        life.edits = [at for at in life.edits if now - at < _MONTH]
        today = sum(now - at < _DAY for at in life.edits)
        if is_approved and (today >= EDITS_A_DAY or len(life.edits) >= EDITS_A_MONTH):
            raise graph_error(2388039, "An approved template can be edited once in 24 hours and ten times in 30 days")
        changed = {**item, **{key: value for key, value in asked.items() if key in ("components", "category", "message_send_ttl_seconds")}}
        with refusing():
            check_definition(changed)
        if is_approved:
            life.edits.append(now)
        item |= {**changed, "category": category or item["category"], "status": "PENDING", "rejected_reason": "NONE"}

    def delete(self, name: str, hsm_id: str, now: datetime) -> list[Json]:
        """By name all languages, with the id that one alone; those that are gone. Raises Refusal for what is not there."""
        gone = [one for one in self.items if one["name"] == name and hsm_id in ("", one["id"])]
        if not gone:
            raise Refusal(
                100,
                "Invalid parameter",
                subcode=2593002,
                title="Message Template Not Found",
                text=f"There is no template {name[:100]} in this account.",
            )
        self.items = [one for one in self.items if one not in gone]
        for one in gone:
            self._lives.pop(word(one["id"]), None)
        if not any(one["name"] == name for one in self.items):
            self._reserved[name] = now
        return gone

    def _is_reserved(self, name: str, now: datetime) -> bool:
        at = self._reserved.get(name)
        return at is not None and now - at < RESERVED_FOR


def _shown(asked: Json, item: str, name: str, language: str, category: str, *, now: datetime) -> Json:
    shown: Json = {
        "id": item,
        "name": name,
        "language": language,
        "status": "PENDING",
        "category": category,
        "parameter_format": word(asked.get("parameter_format")).upper() or "POSITIONAL",
        "components": list_of(asked.get("components")),
        "quality_score": {"score": "UNKNOWN", "date": int(now.timestamp())},
        "rejected_reason": "NONE",
    }
    for key in ("sub_category", "message_send_ttl_seconds", "cta_url_link_tracking_opted_out", "library_template_name"):
        if key in asked:
            shown[key] = asked[key]
    return shown
