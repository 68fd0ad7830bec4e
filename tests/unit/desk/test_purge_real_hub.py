"""The purge of a desk at a real hub: what leaves the machine stays in the archive, and the hub records the receipt."""

from datetime import timedelta
from pathlib import Path

from tests.support.desk_bench import COLD, PASSPHRASE, make_desk
from tests.support.hub_served import served_hub
from wabiz_tui.desk.enrolment import enroll, get_enrolment
from wabiz_tui.model.codec import decode
from wabiz_tui.model.paths import paths_under
from wabiz_tui.model.secret import Secret
from wabiz_tui.model.values import Device
from wabiz_tui.model.wire import EnrolmentCode, HistoryPage, Receipt


async def test_what_leaves_the_machine_stays_in_the_archive(tmp_path: Path) -> None:
    """After the window nothing of the conversation is stored here; the hub has every message of it, and the receipt that counts them."""
    paths = paths_under(tmp_path / "a home")
    async with served_hub(tmp_path / "hub") as served:
        admin = await served.admin()
        code = decode((await admin.post("/v1/people", {"name": "Su", "role": "supervisor"})).content, EnrolmentCode).code
        await served.incoming("Zanzibarcloves", wamid="wamid.A")
        await served.incoming("Zanzibarcloves again", wamid="wamid.B")
        await enroll(str(served.http.base_url), code, paths=paths, config=COLD, passphrase=PASSPHRASE, clock=served.clock)
        desk = make_desk(paths, config=COLD, clock=served.clock)
        await desk.begin()
        try:
            await desk.unlock(Secret(PASSPHRASE.reveal()))
            await desk.sync()
            (held,) = await desk.conversations()
            assert (await desk.status()).messages == 2
            served.clock.move(timedelta(days=15))

            await desk.purge()

            assert (await desk.status()).messages == 0
            receipts = [decode(signed.receipt, Receipt) for signed in await desk.receipts()]
            assert sum(receipt.removed.messages for receipt in receipts) == 2
        finally:
            await desk.close()
        await admin.log_in()
        reader = await served.person(admin, "Co", "compliance")
        kept = decode((await reader.get(f"/v1/conversations/{held.id}/messages?limit=50")).content, HistoryPage)
        assert len(kept.messages) == 2
        devices = decode((await admin.get("/v1/devices")).content, list[Device])
        assert next(one.receipts for one in devices if one.id == get_enrolment(paths).device) == len(receipts)
