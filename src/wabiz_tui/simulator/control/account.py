"""Do to the account, its numbers and its templates what Meta would do by itself."""

from wabiz_tui.graph.reading import Json
from wabiz_tui.simulator.account import changes
from wabiz_tui.simulator.control.asked import refuse_slips
from wabiz_tui.simulator.world import World


def change_template(world: World, asked: Json) -> Json:
    refuse_slips(asked, changes.TEMPLATE_KEYS)
    return changes.change_template(world, asked)


def change_account(world: World, asked: Json) -> Json:
    refuse_slips(asked, changes.ACCOUNT_KEYS)
    return changes.change_account(world, asked)


def change_number(world: World, asked: Json) -> Json:
    refuse_slips(asked, changes.NUMBER_KEYS)
    return changes.change_number(world, asked)
