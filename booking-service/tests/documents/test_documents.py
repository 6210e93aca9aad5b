"""From a paid booking to the files its owner downloads, on real PostgreSQL and a real folder."""

import asyncio
import io
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest
import zxingcpp
from icalendar import Calendar
from PIL import Image

from booking_service.bookings.read_booking import load_booking
from booking_service.documents import store
from booking_service.documents.make_documents import DocumentMaker
from booking_service.documents.papers.bcbp import decode
from booking_service.documents.papers.compose_ticket import compose_ticket
from booking_service.documents.papers.pass_signature import is_genuine
from booking_service.documents.parts import DocumentParts, airport_name
from booking_service.documents.request_documents import request_boarding_passes, void_boarding_passes
from booking_service.documents.symbols import qr_svg
from rihla.kernel import new_id
from rihla.storage import StorageUnavailable

NAMES = [
    ("Amina", "Rahman"),
    ("আমিনা", "রহমান"),
    ("محمد", "عبد الله"),
    ("فاطمہ", "گڑیا"),
]


def pdf(answer: Any) -> pypdf.PdfReader:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return pypdf.PdfReader(io.BytesIO(answer.content))


def words_of(document: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in document.pages)


def spoken_text(document: pypdf.PdfReader) -> str:
    """The text a screen reader gets: shaped clusters carry their letters as ActualText (PDF 2.0, 14.9.4)."""
    data = b"".join(page.get_contents().get_data() for page in document.pages)
    found = re.findall(rb"/ActualText\s*<FEFF([0-9A-F]+)>", data)
    return "".join(bytes.fromhex(one.decode()).decode("utf-16-be") for one in found)


async def booking_with_names(house: Any, traveller: Any) -> Any:
    passengers = [traveller(given_name=given, surname=surname) for given, surname in NAMES]
    return await house.confirmed(house.body(None, *passengers))


async def test_a_confirmed_booking_has_tickets_with_everything_they_must_say(house: Any, traveller: Any) -> None:
    booking = await booking_with_names(house, traveller)
    waiting = await house.get(f"/v1/bookings/{booking['id']}/tickets.pdf")
    assert waiting.status_code == 202
    assert waiting.headers["retry-after"]
    assert await house.worker.documents.work_off() == 1
    document = pdf(await house.get(f"/v1/bookings/{booking['id']}/tickets.pdf"))
    text = words_of(document)
    segment = booking["slices"][0]["segments"][0]
    assert booking["reference"] in text
    assert segment["flight_number"] in text
    for passenger in booking["passengers"]:
        assert passenger["e_ticket_number"] in text
    for said in ("RAHMAN/AMINA MS", "RAHAMAN/AMINA MS", "Terminal", "Fare rules", "Gate closes", "Total", "Boarding"):
        assert said.lower() in text.lower()
    assert f"{segment['departure_at'][11:16]}" in text
    assert booking["total"]["amount"] in text


async def test_names_in_bengali_arabic_and_urdu_are_set_with_their_own_letters(house: Any, traveller: Any) -> None:
    booking = await booking_with_names(house, traveller)
    await house.worker.documents.work_off()
    document = pdf(await house.get(f"/v1/bookings/{booking['id']}/tickets.pdf"))
    keywords = document.metadata["/Keywords"]
    for given, surname in NAMES:
        assert f"{given} {surname}" in keywords
    fonts = {
        font.get_object()["/BaseFont"].split("+")[-1]
        for page in document.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts == {
        *("NotoSans-Regular", "NotoSans-Bold", "NotoSansBengali-Bold"),
        *("NotoNaskhArabic-Bold", "NotoNastaliqUrdu-Bold"),
    }
    spoken = spoken_text(document)
    assert "মি" in spoken
    assert "হ" in words_of(document)
    assert "گ" in words_of(document)


async def test_documents_ready_is_told_once_with_keys_that_hold_the_files(house: Any) -> None:
    await house.confirmed()
    await house.worker.documents.work_off()
    assert await house.worker.documents.work_off() == 0
    (event,) = await house.events("booking.documents_ready.v1")
    assert event["data"]["cause"] == "confirmed"
    assert [one["kind"] for one in event["data"]["documents"]] == ["ticket", "receipt"]
    for one in event["data"]["documents"]:
        assert (await house.worker.c.documents.storage.get(one["storage_key"])).startswith(b"%PDF")
    confirmed = (await house.events("booking.confirmed.v1"))[0]
    assert event["sequence"] > confirmed["sequence"]


async def test_two_workers_share_the_jobs_and_make_each_document_once(house: Any) -> None:
    bookings = [await house.confirmed() for _ in range(6)]
    c = house.worker.c
    other = DocumentMaker(c.db, c.documents, c.rush, clock=house.clock)
    await asyncio.gather(*(maker.work_off() for maker in (house.worker.documents, other) for _ in range(3)))
    rows = await house.rows("SELECT booking_id, kind, version FROM document")
    assert len(rows) == 2 * len(bookings)
    assert {row["version"] for row in rows} == {1}
    assert len(await house.events("booking.documents_ready.v1")) == len(bookings)


async def test_a_worker_that_died_is_replaced_and_its_late_result_is_dropped(house: Any) -> None:

    booking = await house.confirmed()
    async with house.worker.c.db.transaction() as session:
        (lost,) = await store.claim_jobs(session, now=house.clock.now(), most=1, rush=False)
    assert await house.worker.documents.work_off() == 0
    house.clock.advance(store.LEASE)
    assert await house.worker.documents.work_off() == 1
    async with house.worker.c.db.transaction() as session:
        assert not await store.finish_job(session, lost, now=house.clock.now())
    assert len(await house.events("booking.documents_ready.v1")) == 1
    assert (await house.get(f"/v1/bookings/{booking['id']}/tickets.pdf")).status_code == 200


class BrokenStore:
    """A store that is away."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.away = True

    async def put(self, key: str, data: bytes, *, media_type: str) -> None:
        if self.away:
            raise StorageUnavailable("away")
        await self.inner.put(key, data, media_type=media_type)


async def test_a_store_that_is_away_delays_documents_and_loses_none(house: Any) -> None:
    booking = await house.confirmed()
    c = house.worker.c
    parts = c.documents
    broken = BrokenStore(parts.storage)
    maker = DocumentMaker(
        c.db, DocumentParts(broken, parts.typesetter, parts.signer, "https://x"), c.rush, clock=house.clock
    )

    assert await maker.work_off() == 1
    assert await maker.work_off() == 0
    (job,) = await house.rows("SELECT state, attempts, last_error FROM document_job")
    assert (job["state"], job["attempts"]) == ("queued", 1)
    assert "StorageUnavailable" in job["last_error"]
    broken.away = False
    house.clock.advance(timedelta(seconds=5))
    assert await maker.work_off() == 1
    assert (await house.get(f"/v1/bookings/{booking['id']}/tickets.pdf")).status_code == 200


async def test_only_the_owner_gets_documents(house: Any) -> None:
    booking = await house.confirmed()
    await house.worker.documents.work_off()
    listed = (await house.get(f"/v1/bookings/{booking['id']}/documents")).json()["items"]
    flight_id = booking["slices"][0]["segments"][0]["flight_id"]
    passenger_id = booking["passengers"][0]["id"]
    paths = [
        "documents",
        "tickets.pdf",
        "receipt.pdf",
        "calendar.ics",
        f"documents/{listed[0]['id']}",
        f"boarding-passes/{passenger_id}/{flight_id}.pdf",
        f"boarding-passes/{passenger_id}/{flight_id}.png",
    ]
    for path in paths:
        stranger = await house.get(f"/v1/bookings/{booking['id']}/{path}", user_id=new_id())
        assert (stranger.status_code, stranger.json()["code"]) == (404, "booking-not-found"), path
        nobody = await house.client.get(f"/v1/bookings/{booking['id']}/{path}")
        assert nobody.status_code == 401, path


async def test_before_payment_there_is_no_ticket(house: Any) -> None:
    booking = await house.place()
    for path in ("tickets.pdf", "receipt.pdf", "calendar.ics"):
        answer = await house.get(f"/v1/bookings/{booking['id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "no-document-yet"), path


async def test_the_list_says_what_is_being_made_and_then_where_it_is(house: Any) -> None:
    booking = await house.confirmed()
    path = f"/v1/bookings/{booking['id']}/documents"
    before = (await house.get(path)).json()["items"]
    assert {(one["kind"], one["status"]) for one in before} >= {("ticket", "being_made"), ("receipt", "being_made")}
    await house.worker.documents.work_off()
    after = (await house.get(path)).json()["items"]
    assert [(one["kind"], one["status"]) for one in after] == [
        ("ticket", "ready"),
        ("receipt", "ready"),
        ("calendar", "ready"),
    ]
    for one in after:
        answer = await house.get(one["url"])
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
    assert (await house.get(f"{path}/{new_id()}")).json()["code"] == "document-not-found"


async def test_the_receipt_adds_up_to_what_was_paid(house: Any) -> None:
    booking = await house.confirmed()
    await house.worker.documents.work_off()
    text = words_of(pdf(await house.get(f"/v1/bookings/{booking['id']}/receipt.pdf")))
    assert f"USD {booking['total']['amount']}" in text
    assert "Total paid" in text


async def test_a_file_the_store_lost_is_made_again(house: Any) -> None:
    booking = await house.confirmed()
    await house.worker.documents.work_off()
    (row,) = await house.rows("SELECT storage_key FROM document WHERE kind = 'ticket'")
    await house.worker.c.documents.storage.delete(row["storage_key"])
    path = f"/v1/bookings/{booking['id']}/tickets.pdf"
    assert (await house.get(path)).status_code == 202
    assert (await house.get(path)).status_code == 202
    assert await house.worker.documents.work_off() == 1
    assert (await house.get(path)).status_code == 200


async def test_the_calendar_holds_each_flight_in_utc(house: Any) -> None:
    booking = await house.confirmed()
    answer = await house.get(f"/v1/bookings/{booking['id']}/calendar.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(answer.text).walk("VEVENT")
    segment = booking["slices"][0]["segments"][0]

    assert event["DTSTART"].dt == datetime.fromisoformat(segment["departure_at"])
    assert segment["flight_number"] in event["SUMMARY"]
    assert booking["reference"] in event["DESCRIPTION"]


async def check_in(house: Any, booking: Any, sequence: int = 25) -> tuple[str, str]:
    """Check the first passenger in on the first flight, as check-in stores it, and ask for the pass."""
    passenger_id = booking["passengers"][0]["id"]
    flight_id = booking["slices"][0]["segments"][0]["flight_id"]
    (coupon,) = await house.rows(
        "SELECT id FROM coupon WHERE passenger_id = :p AND booking_id = :b", p=UUID(passenger_id), b=UUID(booking["id"])
    )
    await house.rows("UPDATE coupon SET state = 'checked_in' WHERE id = :id", id=coupon["id"])
    await house.rows(
        "INSERT INTO check_in (booking_id, coupon_id, passenger_id, flight_id, sequence, state, checked_in_at) "
        "VALUES (:b, :c, :p, :f, :s, 'active', :now)",
        b=UUID(booking["id"]),
        c=coupon["id"],
        p=UUID(passenger_id),
        f=UUID(flight_id),
        s=sequence,
        now=house.clock.now(),
    )
    async with house.worker.c.db.transaction() as session:
        pairs = [(UUID(passenger_id), UUID(flight_id))]
        await request_boarding_passes(session, UUID(booking["id"]), pairs, now=house.clock.now())
    return passenger_id, flight_id


async def test_a_pass_before_check_in_is_refused(house: Any) -> None:
    booking = await house.confirmed()
    passenger_id = booking["passengers"][0]["id"]
    flight_id = booking["slices"][0]["segments"][0]["flight_id"]
    base = f"/v1/bookings/{booking['id']}/boarding-passes"
    for form in ("pdf", "png"):
        answer = await house.get(f"{base}/{passenger_id}/{flight_id}.{form}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not-checked-in")
        answer = await house.get(f"{base}/{new_id()}/{flight_id}.{form}")
        assert (answer.status_code, answer.json()["code"]) == (404, "document-not-found")


_OF_A_PASS = [zxingcpp.BarcodeFormat.Aztec, zxingcpp.BarcodeFormat.PDF417]


def symbol_in(picture: Image.Image) -> zxingcpp.Barcode:
    """The only symbol of a boarding pass in a part of a page.

    A gate's scanner is held over one symbol. Over the whole page one pass in forty has an Aztec in which the reader
    sees the beginning of a strip, and it then misses the real one. In one Aztec of some hundreds a reader of everything
    sees the stripes of a parcel as well, which no gate looks for.
    """
    (found,) = zxingcpp.read_barcodes(picture, formats=_OF_A_PASS)
    return found


async def test_the_pass_is_read_by_a_camera_and_verified_offline(house: Any) -> None:
    booking = await house.confirmed()
    passenger_id, flight_id = await check_in(house, booking)
    base = f"/v1/bookings/{booking['id']}/boarding-passes/{passenger_id}/{flight_id}"
    assert (await house.get(f"{base}.pdf")).status_code == 202
    while await house.worker.documents.work_off():
        pass
    text = words_of(pdf(await house.get(f"{base}.pdf")))
    assert booking["reference"] in text
    assert "RAHMAN/AMINA MS" in text
    picture = await house.get(f"{base}.png")
    assert picture.headers["content-type"] == "image/png"
    page = Image.open(io.BytesIO(picture.content))
    aztec = symbol_in(page.crop((page.width * 7 // 10, 0, page.width, page.height * 4 // 10)))
    strip = symbol_in(page.crop((0, page.height * 6 // 10, page.width, page.height)))
    assert (str(aztec.format), str(strip.format)) == ("Aztec", "PDF417")
    assert aztec.text == strip.text
    code = decode(aztec.text)
    assert (code.name, code.reference, code.sequence) == ("RAHMAN/AMINA", booking["reference"], "0025 ")
    keys = (await house.client.get("/v1/boarding-pass-keys")).json()["keys"]
    assert is_genuine(code, keys)
    events = [event["data"] for event in await house.events("booking.documents_ready.v1")]
    (ready,) = (event for event in events if event["cause"] == "checked_in")
    assert {one["passenger_id"] for one in ready["documents"]} == {passenger_id}


async def test_an_undone_check_in_takes_its_pass_away(house: Any) -> None:
    booking = await house.confirmed()
    passenger_id, flight_id = await check_in(house, booking)
    while await house.worker.documents.work_off():
        pass
    base = f"/v1/bookings/{booking['id']}/boarding-passes/{passenger_id}/{flight_id}"
    assert (await house.get(f"{base}.pdf")).status_code == 200
    async with house.worker.c.db.transaction() as session:
        pairs = [(UUID(passenger_id), UUID(flight_id))]
        await void_boarding_passes(session, UUID(booking["id"]), pairs, now=house.clock.now())
    listed = (await house.get(f"/v1/bookings/{booking['id']}/documents")).json()["items"]
    assert "boarding_pass" not in {one["kind"] for one in listed}


async def test_a_link_that_a_camera_reads_off_the_ticket_opens_the_booking(house: Any) -> None:

    booking = await house.confirmed()
    async with house.worker.c.db.transaction() as session:
        view = await load_booking(session, UUID(booking["id"]))
    link = f"{house.settings.public_url}/v1/bookings/{booking['id']}"
    sheet = compose_ticket(view, link=link, qr_svg=qr_svg(link), airport_name=airport_name)
    page = house.worker.c.documents.typesetter.set("ticket", sheet, "png")
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(page))).text == link


async def test_a_booking_that_cannot_be_printed_holds_up_nobody(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = await house.confirmed(), await house.confirmed()
    typesetter = house.worker.c.documents.typesetter
    real = typesetter.set

    def refuse(template: Any, sheet: Any, form: Any) -> bytes:
        if sheet.reference == broken["reference"]:
            raise KeyError("a sheet the template cannot set")
        return real(template, sheet, form)

    monkeypatch.setattr(typesetter, "set", refuse)
    assert await house.worker.documents.work_off() == 2
    assert (await house.get(f"/v1/bookings/{fine['id']}/tickets.pdf")).status_code == 200
    jobs = {str(row["booking_id"]): row for row in await house.rows("SELECT * FROM document_job")}
    assert jobs[broken["id"]]["state"] == "queued"
    assert "KeyError" in jobs[broken["id"]]["last_error"]
