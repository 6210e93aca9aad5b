"""What the documents capability needs at run time, made from settings by the service's bootstrap."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache

from booking_service.documents.papers.pass_signature import PassSigner
from booking_service.documents.settings import DocumentSettings
from booking_service.documents.typeset import Typesetter
from rihla.kernel import Clock
from rihla.storage import ObjectStore, open_storage


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """`typesetter` compiles nothing until it is first used, so an API process pays only for the fonts' index."""

    storage: ObjectStore
    typesetter: Typesetter
    signer: PassSigner
    public_url: str


@asynccontextmanager
async def open_documents(settings: DocumentSettings, *, clock: Clock) -> AsyncIterator[DocumentParts]:
    """Open the store and the typesetter for as long as the block runs. ValueError for settings that cannot be."""
    storage = open_storage(
        settings.document_storage_url,
        access_key=settings.document_storage_access_key.get_secret_value(),
        secret_key=settings.document_storage_secret_key.get_secret_value(),
        clock=clock,
    )
    typesetter = Typesetter(settings.document_threads)
    signer = PassSigner(settings.boarding_pass_keys.get_secret_value().split(","))
    try:
        yield DocumentParts(storage, typesetter, signer, settings.public_url.rstrip("/"))
    finally:
        typesetter.close()
        await storage.close()


@cache
def _airports() -> dict[str, str]:
    import airportsdata

    return {code: f"{one['city'] or one['name']}, {one['name']}" for code, one in airportsdata.load("IATA").items()}


def airport_name(iata: str) -> str:
    """`Dhaka, Hazrat Shahjalal International Airport`; the code itself when nobody knows it."""
    return _airports().get(iata, iata)
