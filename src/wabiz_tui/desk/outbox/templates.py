"""Fill a template as the hub knows it now: what it wants is Meta's to say, and may have changed since this morning."""

from urllib.parse import quote, urlencode

from wabiz_tui.desk.link.link import Link
from wabiz_tui.graph.reading import list_of, load_object, object_of
from wabiz_tui.graph.templates import fill, read_template
from wabiz_tui.model.content import Template
from wabiz_tui.model.errors import LimitBroken, UsageError


async def filled_template(link: Link, tenant: str, name: str, language: str, values: dict[str, str]) -> Template:
    """Raises UsageError for a template that there is not, or that wants other values; what the gateway refuses."""
    asked = f"{quote(tenant, safe='')}/message_templates?{urlencode({'name': name})}"
    listed = load_object((await link.gateway("GET", asked, body=None, headers={})).body)
    items = [object_of(item) for item in list_of(listed.get("data"))]
    found = [read_template(item) for item in items if item.get("name") == name]
    wanted = next((one for one in found if one.language == language), None)
    if wanted is None:
        others = ", ".join(sorted(one.language for one in found))
        raise UsageError(f"There is no approved template of this name in {language}" + (f"; there is one in: {others}." if others else "."))
    try:
        return fill(wanted, values)
    except LimitBroken as error:
        keys = ", ".join(variable.key for variable in wanted.variables) or "none"
        raise UsageError(f"The template's values do not fit: {error.sentence} It takes: {keys}.") from error
