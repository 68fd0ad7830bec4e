"""A desk and a real hub that has ended its key, and a desk that was away for weeks: nothing of the old rows stays, and nothing that its
agent wrote is lost."""

from datetime import timedelta
from pathlib import Path

from tests.support.desk_bench import COLD, PASSPHRASE, database_files, make_desk
from tests.support.desk_samples import until
from tests.support.hub_served import Served, TestDevice, served_hub
from wabiz_tui.desk.desk import LocalDesk
from wabiz_tui.desk.enrolment import enroll, get_enrolment
from wabiz_tui.hub.people.overdue import end_overdue, tend
from wabiz_tui.model.codec import decode
from wabiz_tui.model.content import plain_text
from wabiz_tui.model.paths import Paths, paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Device
from wabiz_tui.model.wire import EnrolmentCode, Receipt
from wabiz_tui.policy.document import Cache, Policy

STRICT = Policy(cache=Cache(receipt_within=timedelta(minutes=1), purge_within=timedelta(minutes=1)))


async def unlocked(served: Served, paths: Paths) -> LocalDesk:
    desk = make_desk(paths, config=COLD, clock=served.clock)
    await desk.begin()
    await desk.unlock(Secret(PASSPHRASE.reveal()))
    await desk.sync()
    return desk


async def texts(desk: LocalDesk) -> list[str]:
    """What the cache itself holds; `messages` would also tell what is older."""
    (talk,) = await desk.conversations()
    held = await desk._read(lambda cache: cache.messages(talk.id))  # pyright: ignore[reportPrivateUsage] the claim is about the cache
    return [plain_text(message.content) for message in held]


async def reasons(desk: LocalDesk) -> list[str]:
    return [decode(signed.receipt, Receipt).reason for signed in await desk.receipts()]


async def at_hub(admin: TestDevice, paths: Paths) -> Device:
    devices = decode((await admin.get("/v1/devices")).content, list[Device])
    return next(one for one in devices if one.id == get_enrolment(paths).device)


async def test_what_the_agent_wrote_survives_the_end_of_a_key_and_weeks_away(tmp_path: Path) -> None:
    """Overdue: a new epoch, an empty start filled by the feed, letter sent once, draft kept, a receipt of reason `reset` that settles it
    at the hub. Thirty days later: what fell due meanwhile is gone from the machine, what came since is there, and the draft."""
    paths = paths_under(tmp_path / "a home")
    async with served_hub(tmp_path / "hub") as served:
        admin = await served.admin()
        code = decode((await admin.post("/v1/people", {"name": "Su", "role": "supervisor"})).content, EnrolmentCode).code
        await served.incoming("falls due", wamid="wamid.A", at=served.clock.now() - timedelta(days=14) + timedelta(seconds=30))
        await served.incoming("stays", wamid="wamid.B")
        await enroll(str(served.http.base_url), code, paths=paths, config=COLD, passphrase=PASSPHRASE, clock=served.clock)
        desk = await unlocked(served, paths)
        (talk,) = await desk.conversations()
        assert await texts(desk) == ["falls due", "stays"]
        await desk.save_draft(talk.id, "half a reply")
        await desk.send_text(talk.id, "on its way", undo=True)
        await desk.close()
        for _ in range(6):
            served.clock.move(timedelta(seconds=30))
            await served.hub.archive.write(lambda writing: tend(writing, served.hub.policy.policy))
        assert await served.hub.archive.write(lambda writing: end_overdue(writing, STRICT)) == 1
        assert (await at_hub(admin, paths)).overdue
        assert served.meta.sent == []

        desk = await unlocked(served, paths)

        await until(lambda: len(served.meta.sent) == 1)
        await until(lambda: no_letters(desk))
        await desk.sync()
        assert "receipt was overdue" in (await desk.status()).notice
        assert await texts(desk) == ["stays", "on its way"]
        assert (await desk.status()).epoch == 2
        assert await reasons(desk) == ["reset"]
        draft = await desk.draft(talk.id)
        assert draft is not None
        assert draft.text == "half a reply"
        await until(lambda: settled(admin, paths))
        await desk.close()
        assert not any("cache-1" in file.name for file in database_files(paths.cache))

        served.clock.move(timedelta(days=30))
        await admin.log_in()
        await served.incoming("weeks later", wamid="wamid.C")
        desk = await unlocked(served, paths)
        await until(lambda: purged_again(desk))

        assert await texts(desk) == ["weeks later"]
        assert [body["text"]["body"] for body in served.meta.sent] == ["on its way"]
        draft = await desk.draft(talk.id)
        assert draft is not None
        assert draft.text == "half a reply"
        await until(lambda: delivered(admin, paths, 2))
        assert not (await at_hub(admin, paths)).overdue
        await desk.close()
        assert not any("cache-2" in file.name for file in database_files(paths.cache))


async def no_letters(desk: LocalDesk) -> bool:
    return (await desk.status()).outbox == 0


async def settled(admin: TestDevice, paths: Paths) -> bool:
    device = await at_hub(admin, paths)
    return not device.overdue and device.receipts == 1


async def delivered(admin: TestDevice, paths: Paths, receipts: int) -> bool:
    return (await at_hub(admin, paths)).receipts == receipts


async def purged_again(desk: LocalDesk) -> bool:
    return len(await reasons(desk)) == 2 and (await desk.status()).epoch == 3
