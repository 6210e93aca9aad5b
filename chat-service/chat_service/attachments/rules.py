"""What may be uploaded, judged by the first bytes and never by a name or a declared type. Pure.

Signatures: PNG (ISO 15948), JPEG (ISO 10918), GIF 87a/89a, WebP and WAVE (RIFF), Ogg (RFC 3533), ISO base media (ISO
14496-12), Matroska/WebM (EBML, RFC 8794), MPEG audio (ISO 11172-3), PDF (ISO 32000).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MIB = 1024 * 1024
MOST_PIXELS = 40_000_000
THUMBNAIL_PIXELS = 320


class Kind(StrEnum):
    """What an attachment is used as."""

    IMAGE = "image"
    VOICE = "voice"
    DOCUMENT = "document"


LARGEST_BYTES: Mapping[Kind, int] = {Kind.IMAGE: 10 * MIB, Kind.VOICE: 5 * MIB, Kind.DOCUMENT: 10 * MIB}
LARGEST_OF_ALL = max(LARGEST_BYTES.values())
MEDIA_TYPES: Mapping[Kind, frozenset[str]] = {
    Kind.IMAGE: frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"}),
    Kind.VOICE: frozenset({"audio/ogg", "audio/webm", "audio/mp4", "audio/mpeg", "audio/wav"}),
    Kind.DOCUMENT: frozenset({"application/pdf", "image/png", "image/jpeg"}),
}
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"mp42", b"mp41", b"isom", b"iso2", b"dash"})


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the caller says it will upload."""

    kind: Kind
    media_type: str
    size_bytes: int


def flaw_of_announcement(announced: Announcement) -> str | None:
    """Why such an upload is not taken, as a sentence, or None."""
    allowed = MEDIA_TYPES[announced.kind]
    if announced.media_type not in allowed:
        return f"As {announced.kind} we take {', '.join(sorted(allowed))}."
    most = LARGEST_BYTES[announced.kind]
    if not 0 < announced.size_bytes <= most:
        return f"As {announced.kind} we take up to {most // MIB} MB."
    return None


def sniff(data: bytes) -> str | None:
    """The media type of the content, or None for anything we do not take (a script, an archive, an SVG)."""
    head = data[:64]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    return _sniff_audio(head)


def _sniff_audio(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS") and (b"OpusHead" in head or b"vorbis" in head or b"Speex" in head):
        return "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head:
        return "audio/webm"
    if head[4:8] == b"ftyp" and head[8:12] in _AUDIO_BRANDS:
        return "audio/mp4"
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    return None


def flaw_of_content(announced: Announcement, data: bytes) -> str | None:
    """Why the uploaded bytes are not what was announced, as a sentence, or None."""
    if len(data) != announced.size_bytes:
        return "The upload has another size than was announced."
    if sniff(data) != announced.media_type:
        return f"The content is not {announced.media_type}."
    return None


def storage_key(attachment_id: str, part: str) -> str:
    """Where an attachment lies: `incoming` as uploaded, `file` once checked, `thumbnail`."""
    return f"{part}/{attachment_id[-2:]}/{attachment_id}"
