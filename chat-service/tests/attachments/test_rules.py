import pytest

from chat_service.attachments.rules import Announcement, Kind, flaw_of_announcement, flaw_of_content, sniff

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
SCRIPT = b"#!/bin/sh\nrm -rf /\n"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"OggS" + b"\x00" * 24 + b"OpusHead", "audio/ogg"),
        (b"\x1a\x45\xdf\xa3....webm", "audio/webm"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"%PDF-1.7", "application/pdf"),
        (SCRIPT, None),
        (b"<svg onload=alert(1)>", None),
        (b"<!doctype html>", None),
        (b"PK\x03\x04", None),
        (b"MZ\x90\x00", None),
        (b"\x7fELF", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_it_is(data: bytes, media_type: str | None) -> None:
    assert sniff(data) == media_type


def test_what_may_be_announced() -> None:
    assert flaw_of_announcement(Announcement(Kind.IMAGE, "image/png", 10 * 1024 * 1024)) is None
    for wrong in (
        Announcement(Kind.IMAGE, "image/png", 10 * 1024 * 1024 + 1),
        Announcement(Kind.IMAGE, "image/svg+xml", 10),
        Announcement(Kind.VOICE, "image/png", 10),
        Announcement(Kind.VOICE, "audio/ogg", 5 * 1024 * 1024 + 1),
        Announcement(Kind.DOCUMENT, "text/html", 10),
    ):
        assert flaw_of_announcement(wrong) is not None, wrong


def test_a_script_named_picture_is_no_picture_and_sizes_must_agree() -> None:
    assert flaw_of_content(Announcement(Kind.IMAGE, "image/png", len(SCRIPT)), SCRIPT) is not None
    assert flaw_of_content(Announcement(Kind.IMAGE, "image/png", len(PNG)), PNG) is None
    assert flaw_of_content(Announcement(Kind.IMAGE, "image/jpeg", len(PNG)), PNG) is not None
    assert flaw_of_content(Announcement(Kind.IMAGE, "image/png", len(PNG) + 1), PNG) is not None
