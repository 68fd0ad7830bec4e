"""The story of the demo, playing by itself: every step says what was verified, and the exit code whether all held."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from wabiz_tui.cli.demo.control import Control
from wabiz_tui.cli.demo.scene import set_scene
from wabiz_tui.cli.demo.stage import NUMBER_ID, Seat, Stage, business
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.desk import Desk, DeskStatus
from wabiz_tui.model.errors import WabizError
from wabiz_tui.model.values import Conversation, DeliveryState, Message

QUESTION = "Hello! Is the blue cargo bike still there? 🚲 Grüße, Zoë"
ANSWER = "Hi Zoë, yes it is. Shall we keep it for you until Friday?"
CUSTOMER = "4915730000077"
TIGHTER = """\
name = "Demo, tightened"
[archive]
retain = "6y"
[cache]
window = "1d"
after_resolve = "0s"
media = "1d"
purge_within = "1m"
lease = "8h"
"""
_PATIENCE = 45.0
_CUSTOMERS = 40


class StepFailed(Exception):
    """A step of the story did not hold; the text says which fact was missing."""


class Story:
    """The steps in order; each raises StepFailed or returns the sentence that says what was verified."""

    def __init__(self, stage: Stage, admin: Seat, agent: Seat, officer: Seat, desk: Desk) -> None:
        self.stage, self.admin, self.agent, self.officer, self.desk = stage, admin, agent, officer, desk
        self.control = Control(stage.simulator.url)
        self.wamid = ""
        self.conversation = ""
        self.copy = Path(tempfile.mkdtemp(prefix="copy-", dir=stage.home))
        self.screen: Any = None
        self.before: DeskStatus | None = None

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("a business with conversations in every state", self.scene_is_set),
            ("a customer writes; Meta's signed webhook is answered 200", self.customer_writes),
            ("a forged webhook is refused", self.forgery_is_refused),
            ("archived exactly once, though Meta told it twice", self.archived_once),
            ("shown on the agent's screen", self.shown),
            ("the agent answers by keyboard; the reply goes out through the gateway", self.agent_answers),
            ("delivered and read ticks are shown", self.ticks_shown),
            ("the conversation is resolved", self.resolved),
            ("the policy is tightened", self.policy_tightened),
            ("the cache is purged under a new key", self.purged),
            ("the receipt is verified offline, and a changed one is refused", self.receipt_verified),
            ("the old cache file and its key are gone; a copy made before opens with nothing that exists", self.old_key_gone),
        ]

    async def scene_is_set(self) -> str:
        await set_scene(self.desk, self.control)
        await self.desk.sync()
        counts = await self.desk.counts()
        _hold(counts["all"] >= _CUSTOMERS, f"at least {_CUSTOMERS} conversations, not {counts['all']}")
        for view in ("mine", "pending", "snoozed", "resolved", "unread"):
            _hold(counts[view] > 0, f"a conversation in '{view}'")
        await self._until(self._has_failure, "a message that failed")
        return ", ".join(f"{number} {view}" for view, number in sorted(counts.items()))

    async def _has_failure(self) -> bool:
        return any(row.preview_delivery is DeliveryState.FAILED for row in await self.desk.conversations())

    async def customer_writes(self) -> str:
        outcome = await self.control.inbound({"from": CUSTOMER, "name": "Zoë Müller", "text": QUESTION})
        self.wamid = str(outcome["wamid"])
        delivery = await self._until(lambda: self._delivered(self.wamid), "the hub's answer to the webhook")
        return f"wamid {self.wamid[:22]}…, answered {delivery} in one POST"

    async def _delivered(self, wamid: str) -> int | None:
        for row in await self.control.deliveries():
            if wamid in json.dumps(row) and row.get("status") == 200:
                return 200
        return None

    async def forgery_is_refused(self) -> str:
        body = b'{"object":"whatsapp_business_account","entry":[]}'
        unsigned = await self.control.post(f"{self.stage.hub.url}/webhooks/whatsapp", body, {})
        forged = await self.control.post(f"{self.stage.hub.url}/webhooks/whatsapp", body, {"X-Hub-Signature-256": "sha256=" + "0" * 64})
        _hold(unsigned == 401 and forged == 401, f"401 for both, not {unsigned} and {forged}")
        return "unsigned and wrongly signed: 401"

    async def archived_once(self) -> str:
        await self.control.inbound({"from": CUSTOMER, "name": "Zoë Müller", "text": QUESTION, "wamid": self.wamid})
        await self.desk.sync()
        found = await self._until(self._conversation_of_customer, "the conversation in the cache")
        self.conversation = found.id
        copies = [row for row in await self.desk.messages(found.id) if row.wamid == self.wamid]
        _hold(len(copies) == 1 and plain_text(copies[0].content) == QUESTION, f"the message once, not {len(copies)} times")
        return f"one row with Meta's text to the letter, conversation {found.id[:8]}…"

    async def _conversation_of_customer(self) -> Conversation | None:
        for row in await self.desk.conversations():
            if row.name == "Zoë Müller":
                return row
        return None

    async def shown(self) -> str:
        await self._until(lambda: self._on_screen("Zoë Müller"), "the customer in the queue on the screen")
        return "queue row: Zoë Müller, unread, window open"

    async def _on_screen(self, *words: str) -> bool:
        text = await self.screen.text()
        return all(word in text for word in words)

    async def agent_answers(self) -> str:
        await self.screen.press("f")
        await self.screen.type("Müller")
        await self.screen.press("enter")
        await self._until(lambda: self._on_screen("blue cargo bike"), "the message in the conversation on the screen")
        await self.screen.press("i")
        await self.screen.type(ANSWER)
        await self.screen.press("enter")
        sent = await self._until(self._sent, "the reply at Meta")
        _hold(str(sent.get("to", "")).lstrip("+") == CUSTOMER, "the reply addressed to the customer")
        return "Meta accepted it once, under the hub's token, with the hub's own id as callback data"

    async def _sent(self) -> dict[str, Any] | None:
        rows = [row for row in await self.control.sent() if ANSWER in json.dumps(row, ensure_ascii=False)]
        _hold(len(rows) <= 1, f"one send, not {len(rows)}")
        return rows[0] if rows else None

    async def ticks_shown(self) -> str:
        await self._until(self._reply_in("delivered", "read"), "the delivered status in the cache")
        await self._until(lambda: self._on_screen("✓✓"), "two ticks on the screen")
        await self._until(self._reply_in("read"), "the read status in the cache")
        return "✓✓ on the screen, delivery: read"

    def _reply_in(self, *states: str) -> Callable[[], Awaitable[Message | None]]:
        async def look() -> Message | None:
            for row in await self.desk.messages(self.conversation):
                if plain_text(row.content) == ANSWER and row.delivery and row.delivery.state in states:
                    return row
            return None

        return look

    async def resolved(self) -> str:
        await self.screen.press("escape")
        await self.screen.press("e")
        await self._until(self._is_resolved, "the resolved conversation")
        return "by one key; the hub recorded who and when"

    async def _is_resolved(self) -> bool:
        try:
            return (await self.desk.conversation(self.conversation)).status == "resolved"
        except WabizError:
            return False

    async def policy_tightened(self) -> str:
        self.before = await self.desk.status()
        for path in self.agent.paths.cache.glob("cache-*"):
            await asyncio.to_thread(shutil.copy2, path, self.copy)
        file = self.stage.home / "tighter.toml"
        file.write_text(TIGHTER, encoding="utf-8")
        outcome = (await asyncio.to_thread(self.officer.records, "policy", "apply", str(file)))[0]
        _hold(outcome["state"] == "in_force", f"a tightening in force at once, not {outcome['state']}")
        return f"version {outcome['version']} in force: cache window 1 day, nothing after resolve"

    async def purged(self) -> str:
        before = self.before
        assert before is not None  # noqa: S101 the step before set it
        await self._until(self._next_epoch, "a new epoch")
        now = await self.desk.status()
        left = [row.id for row in await self.desk.conversations()]
        _hold(now.messages < before.messages, f"fewer than {before.messages} messages, not {now.messages}")
        gone = self.conversation not in left or not await self.desk.messages(self.conversation)
        _hold(gone, "no message of the resolved conversation")
        return f"epoch {before.epoch} → {now.epoch}, messages {before.messages} → {now.messages}"

    async def _next_epoch(self) -> bool:
        assert self.before is not None  # noqa: S101
        now = await self.desk.status()
        return now.epoch > self.before.epoch and now.policy > self.before.policy and bool(await self.desk.receipts())

    async def receipt_verified(self) -> str:
        from wabiz_tui.cli.output import json_line

        chain = await self.desk.receipts()
        file = self.stage.home / "receipts.jsonl"
        file.write_text("".join(json_line(signed) + "\n" for signed in chain), encoding="utf-8")
        key = chain[-1].public_key
        good = await asyncio.to_thread(self.agent.run_plain, "receipts", "verify", str(file), "--key", key)
        file.write_text(file.read_text(encoding="utf-8").replace('\\"messages\\":', '\\"messages\\":1', 1), encoding="utf-8")
        bad = await asyncio.to_thread(self.agent.run_plain, "receipts", "verify", str(file), "--key", key)
        _hold((good, bad) == (0, 1), f"exit codes 0 and 1, not {good} and {bad}")
        rows = await asyncio.to_thread(self.officer.records, "devices", "list")
        _hold(any(row.get("last_receipt_at") for row in rows), "the receipt recorded at the hub")
        return f"{len(chain)} in the chain; recorded at the hub"

    async def old_key_gone(self) -> str:
        assert self.before is not None  # noqa: S101
        old = [path.name for path in self.copy.iterdir()]
        still = [path.name for path in self.agent.paths.cache.glob("cache-*") if path.name in old]
        _hold(not still, f"no file of the old epoch, not {still}")
        opened = await any_opens(sorted(self.copy.glob("cache-*.db")), self.agent, self.before.epoch)
        _hold(not opened, "a copy that stays closed")
        return f"{', '.join(sorted(old))}: unlinked; share of epoch {self.before.epoch} destroyed at the hub"

    async def _until(self, look: Callable[[], Awaitable[Any]], fact: str) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.1)
        raise StepFailed(f"{fact} did not appear within {_PATIENCE:.0f} s")


async def any_opens(copies: list[Path], seat: Seat, epoch: int) -> bool:
    """Whether a copied cache of `epoch` opens with all that still exists: kernel, key store, passphrase, and the shares the hub gives."""
    from wabiz_tui.desk.purge.remains import opening_keys, opens
    from wabiz_tui.model.clock import SystemClock
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.secret import Secret

    config = load_config(seat.paths)
    keys = await opening_keys(seat.paths, epoch, config=config, passphrase=Secret(seat.passphrase()), clock=SystemClock())
    return any(opens(path, keys) for path in copies)


def _hold(fact: bool, expected: str) -> None:
    if not fact:
        raise StepFailed(f"expected {expected}")


def play(*, keep: bool, seed: int) -> int:
    """Play the story, print each step with what was verified, return 0 when all held and 1 at the first that did not."""
    print("wabiz demo, headless: a pretend Meta, a real hub, a real encrypted desk, a real screen without a terminal", flush=True)
    try:
        with Stage(keep=keep, seed=seed, scenario=business()) as stage:
            print(f"  stage: simulator {stage.simulator.url}, hub {stage.hub.url}, number {NUMBER_ID}", flush=True)
            admin = stage.seat("admin", stage.admin_code)
            agent = stage.person(admin, "Robin", "agent")
            officer = stage.person(admin, "Casey", "compliance")
            held = asyncio.run(_play(stage, admin, agent, officer))
    except WabizError as error:
        print(f"✗ {error.sentence}", flush=True)
        return 1
    gone = keep or not stage.home.exists()
    _tell(gone, "nothing is left behind", "processes ended, temporary home removed" if gone else f"{stage.home} is still there")
    return 0 if held and gone else 1


async def _play(stage: Stage, admin: Seat, agent: Seat, officer: Seat) -> bool:
    from wabiz_tui.desk.process.launch import connect
    from wabiz_tui.model.clock import clock_from_environment
    from wabiz_tui.model.config import load_config
    from wabiz_tui.model.secret import Secret
    from wabiz_tui.tui.headless import HeadlessScreen

    desk = await connect(agent.paths, passphrase=Secret(agent.passphrase()), environment=agent.environment())
    try:
        if (await desk.status()).locked:
            await desk.unlock(Secret(agent.passphrase()))
        await desk.sync()
        story = Story(stage, admin, agent, officer, desk)
        async with HeadlessScreen(desk, config=load_config(agent.paths), clock=clock_from_environment(), size=(120, 36)) as screen:
            story.screen = screen
            return await _steps(story)
    finally:
        await desk.close()


async def _steps(story: Story) -> bool:
    for number, (title, act) in enumerate(story.steps(), 1):
        started = time.monotonic()
        try:
            verified = await act()
        except (StepFailed, WabizError) as error:
            _tell(False, f"{number:2}. {title}", str(error))
            return False
        _tell(True, f"{number:2}. {title}", f"{verified} ({time.monotonic() - started:.1f} s)")
    return True


def _tell(held: bool, title: str, verified: str) -> None:
    sys.stdout.write(f"{'✓' if held else '✗'} {title}\n     {verified}\n")
    sys.stdout.flush()
