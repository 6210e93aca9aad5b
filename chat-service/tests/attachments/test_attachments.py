"""Uploads over signed addresses: the local folder, and a real S3 server of the tests' own."""

import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from chat_service.attachments.addresses import S3Addresses
from chat_service.attachments.rules import Announcement, Kind
from chat_service.attachments.upload import Uploads
from chat_service.sweeping import Sweeper
from rihla.kernel import SystemClock, new_id
from rihla.storage import open_storage

SCRIPT = b"#!/bin/sh\nrm -rf /\n"


def picture(width: int = 800, height: int = 600) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(out, "PNG")
    return out.getvalue()


async def upload(
    stack: Any, who: Any, data: bytes, media_type: str = "image/png", kind: str = "image", name: str = "photo.png"
) -> httpx.Response:
    body = {"kind": kind, "media_type": media_type, "size_bytes": len(data), "file_name": name}
    begun = await who.post("/v1/chat/attachments", body)
    address = begun["upload"]
    sent = await stack.client.request(address["method"], address["url"], content=data, headers=address["headers"])
    assert sent.status_code == 204, sent.text
    answer: httpx.Response = await who.call("POST", f"/v1/chat/attachments/{begun['id']}/complete")
    return answer


async def test_a_picture_is_checked_shown_small_and_posted(stack: Any) -> None:
    me, agent, stranger = stack.person(), stack.person("support"), stack.person()
    data = picture()
    done = (await upload(stack, me, data)).json()
    assert (done["state"], done["width"], done["height"]) == ("ready", 800, 600)
    loaded = await stack.client.get(done["download"]["url"])
    assert (loaded.content, loaded.headers["content-type"]) == (data, "image/png")
    assert loaded.headers["x-content-type-options"] == "nosniff"
    small = Image.open(io.BytesIO((await stack.client.get(done["thumbnail"]["url"])).content))
    assert small.size == (320, 240)
    place = await me.open()
    body = {"client_id": "p-1", "type": "image", "attachment_id": done["id"], "text": "my bag"}
    url = f"/v1/chat/conversations/{place}/messages"
    message = await me.post(url, body, status=201)
    assert (message["attachment"]["id"], message["attachment"]["width"]) == (done["id"], 800)
    assert (await me.post(url, body, status=200))["seq"] == message["seq"]
    twice = await me.call("POST", url, json={**body, "client_id": "p-2"})
    assert (twice.status_code, twice.json()["code"]) == (409, "attachment-not-usable")
    path = f"/v1/chat/attachments/{done['id']}"
    assert (await agent.get(path))["download"]["url"]
    assert (await stranger.call("GET", path)).status_code == 404


async def test_a_script_named_png_is_refused_and_deleted(stack: Any) -> None:
    me = stack.person()
    answer = await upload(stack, me, SCRIPT, name="script.png")
    assert (answer.status_code, answer.json()["code"]) == (422, "attachment-refused")
    (row,) = await stack.rows("SELECT id, state FROM attachment")
    assert row.state == "refused"
    again = await me.call("POST", f"/v1/chat/attachments/{row.id}/complete")
    assert (again.status_code, again.json()["code"]) == (422, "attachment-refused")
    shown = await me.get(f"/v1/chat/attachments/{row.id}")
    assert shown["download"] is None
    place = await me.open()
    body = {"client_id": "x", "type": "image", "attachment_id": str(row.id)}
    assert (await me.call("POST", f"/v1/chat/conversations/{place}/messages", json=body)).status_code == 409


async def test_a_picture_that_ends_early_or_unfolds_too_far_is_refused(stack: Any) -> None:
    me = stack.person()
    assert (await upload(stack, me, picture()[:-200])).status_code == 422
    assert (await upload(stack, me, picture(9000, 9000))).status_code == 422
    assert (await upload(stack, me, b"\x89PNG\r\n\x1a\n" + SCRIPT)).status_code == 422


async def test_a_voice_note_is_no_image(stack: Any) -> None:
    me = stack.person()
    done = (await upload(stack, me, b"OggS" + b"\x00" * 24 + b"OpusHead" + b"\x00" * 50, "audio/ogg", "voice")).json()
    assert done["state"] == "ready"
    place = await me.open()
    url = f"/v1/chat/conversations/{place}/messages"
    wrong = await me.call("POST", url, json={"client_id": "a", "type": "image", "attachment_id": done["id"]})
    assert wrong.status_code == 409
    await me.post(url, {"client_id": "a", "type": "voice", "attachment_id": done["id"]}, status=201)


async def test_attachments_are_bound_to_their_owner(stack: Any) -> None:
    me, thief = stack.person(), stack.person()
    done = (await upload(stack, me, picture())).json()
    assert (await thief.call("POST", f"/v1/chat/attachments/{done['id']}/complete")).status_code == 404
    place = await thief.open()
    body = {"client_id": "x", "type": "image", "attachment_id": done["id"]}
    stolen = await thief.call("POST", f"/v1/chat/conversations/{place}/messages", json=body)
    assert (stolen.status_code, stolen.json()["code"]) == (409, "attachment-not-usable")


async def test_a_signed_address_serves_one_purpose_for_a_short_time(stack: Any, clock: Any) -> None:
    me = stack.person()
    body = {"kind": "image", "media_type": "image/png", "size_bytes": 100}
    begun = await me.post("/v1/chat/attachments", body)
    url = begun["upload"]["url"]
    too_early = await me.call("POST", f"/v1/chat/attachments/{begun['id']}/complete")
    assert (too_early.status_code, too_early.json()["code"]) == (409, "attachment-not-uploaded")
    for changed in (
        url.replace("size=100", "size=100000"),
        url.replace("incoming", "file"),
        url.replace("image%2Fpng", "text%2Fhtml"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        answer = await stack.client.put(changed, content=b"x" * 100)
        assert (answer.status_code, answer.json()["code"]) == (403, "address-invalid")
    assert (await stack.client.get(url)).status_code == 403
    assert (await stack.client.put(url, content=b"x" * 101)).status_code == 422
    assert (await stack.client.put(url, content=b"x" * 99)).status_code == 422
    clock.advance(timedelta(minutes=11))
    assert (await stack.client.put(url, content=b"x" * 100)).status_code == 403


async def test_sending_something_else_after_the_check_changes_nothing(stack: Any) -> None:
    me = stack.person()
    data = picture()
    begun = await me.post("/v1/chat/attachments", {"kind": "image", "media_type": "image/png", "size_bytes": len(data)})
    url = begun["upload"]["url"]
    await stack.client.put(url, content=data)
    done = await me.post(f"/v1/chat/attachments/{begun['id']}/complete")
    assert (await stack.client.put(url, content=SCRIPT.ljust(len(data)))).status_code == 204
    assert (await stack.client.get(done["download"]["url"])).content == data


async def test_uploads_nobody_posts_go_and_posted_ones_stay(stack: Any, clock: Any) -> None:
    me = stack.person()
    kept, lost = [(await upload(stack, me, picture())).json() for _ in range(2)]
    place = await me.open()
    body = {"client_id": "x", "type": "image", "attachment_id": kept["id"]}
    await me.post(f"/v1/chat/conversations/{place}/messages", body, status=201)
    clock.advance(timedelta(hours=25))
    await Sweeper(stack.container).sweep()
    assert (await me.call("GET", f"/v1/chat/attachments/{lost['id']}")).status_code == 404
    shown = await me.get(f"/v1/chat/attachments/{kept['id']}")
    assert (await stack.client.get(shown["download"]["url"])).status_code == 200


@pytest.fixture(scope="module")
def s3() -> Any:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


async def test_clients_send_straight_to_an_s3_compatible_store(stack: Any, s3: str) -> None:
    url = f"s3://chat-files/prefix?endpoint={s3}&region=us-east-1"
    clock = SystemClock()
    keys = {"access_key": "test", "secret_key": "test", "clock": clock}
    async with httpx.AsyncClient() as browser:
        await browser.put(f"{s3}/chat-files")
        storage = open_storage(url, **keys)
        addresses = S3Addresses.of_url(url, lifetime=timedelta(minutes=5), **keys)
        uploads = Uploads(stack.container.db, storage, addresses, clock, timedelta(hours=1))
        owner, data = new_id(), picture()
        row, address = await uploads.begin(owner, Announcement(Kind.IMAGE, "image/png", len(data)))
        assert "content-length" in address.url
        sent = await browser.put(address.url, content=data, headers=address.headers)
        assert sent.status_code == 200, sent.text
        done = await uploads.complete(owner, row["id"])
        assert done["state"] == "ready"
        from chat_service.attachments.rules import storage_key

        loaded = await browser.get(addresses.download(storage_key(str(row["id"]), "file"), "image/png").url)
        assert loaded.content == data
        await storage.close()
