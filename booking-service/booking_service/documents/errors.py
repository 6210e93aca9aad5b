"""Domain words of documents, and how they look outside."""

from rihla.kernel import DomainError
from rihla.web import ProblemSpec


class DocumentNotFound(DomainError):
    """The booking has no such document."""


class NoDocumentYet(DomainError):
    """The booking is not in a state that has this document."""


class NotCheckedIn(DomainError):
    """A boarding pass was asked for before check-in."""


DOCUMENT_PROBLEMS: dict[type[DomainError], ProblemSpec] = {
    DocumentNotFound: ProblemSpec(404, "document-not-found", "There is no such document"),
    NoDocumentYet: ProblemSpec(409, "no-document-yet", "This booking has no such document yet"),
    NotCheckedIn: ProblemSpec(409, "not-checked-in", "Check in first"),
}
