"""What an auditor gets of the hub: each device's public key, how many receipts it signed, and the receipts."""

from pathlib import Path

from tests.support.hub_served import served_hub
from wabiz_tui.model.codec import decode
from wabiz_tui.model.values import Device
from wabiz_tui.model.wire import SignedReceipt
from wabiz_tui.proof.armour import parse_public_key
from wabiz_tui.proof.receipts import verify_chain


async def test_receipts_from_the_hub_verify_under_the_key_from_the_hub(tmp_path: Path) -> None:
    """An auditor needs nothing of the device; an agent sees neither the list nor another's receipts."""
    async with served_hub(tmp_path) as served:
        admin = await served.admin()
        agent = await served.person(admin, "Bo", "agent")
        auditor = await served.person(admin, "Au", "auditor")
        for epoch in (1, 2):
            await agent.post("/v1/device/epochs", {"after": epoch})
            assert (await agent.post("/v1/receipts", agent.receipt(epoch=epoch, next_epoch=epoch + 1))).status_code == 200

        devices = decode((await auditor.get("/v1/devices")).content, list[Device])
        told = decode((await auditor.get(f"/v1/receipts?device={agent.reply.device}")).content, list[SignedReceipt])
        refused = await agent.get("/v1/devices"), await agent.get(f"/v1/receipts?device={auditor.reply.device}")

        device = next(one for one in devices if one.id == agent.reply.device)
        assert verify_chain(told, parse_public_key(device.public_key))[-1].number == device.receipts == 2
        assert [answer.status_code for answer in refused] == [403, 403]
