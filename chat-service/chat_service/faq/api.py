"""The FAQ, for everybody and for administrators."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chat_service.faq import store
from chat_service.faq.errors import FaqEntryExists, FaqEntryNotFound
from chat_service.faq.schemas import FaqCategory, FaqEntry, FaqEntryChange, FaqEntryForAdmins, NewFaqEntry, Vote
from chat_service.faq.words import words_of
from chat_service.problems import problems
from rihla.auth import CurrentPrincipal, Person, require_roles
from rihla.web import InvalidCursor, Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1/faq", tags=["faq"])
admin_router = APIRouter(
    prefix="/v1/admin/faq", tags=["faq"], dependencies=[Depends(require_roles("support", "admin"))]
)
C = Annotated[Any, Depends(container)]
Language = Annotated[str, Query(pattern=r"^[a-z]{2,3}$", description="Of question and answer")]
_ADMIN = ("unauthenticated", "forbidden", "validation-failed")
_ENTRY = problem_responses("unauthenticated", "faq-entry-not-found", "validation-failed", table=problems)


@router.get(
    "", responses=problem_responses("invalid-cursor", "validation-failed", table=problems), summary="List the FAQ"
)
async def list_faq(
    c: C,
    _: CurrentPrincipal,
    page: PageParams,
    language: Language = "en",
    category: Annotated[str | None, Query(max_length=40)] = None,
    featured: Annotated[bool, Query(description="Only featured entries")] = False,
) -> Page[FaqEntry]:
    """By category and position."""
    return await _page(c, page, language, category, featured)


@router.get("/search", responses=problem_responses("validation-failed", table=problems), summary="Search the FAQ")
async def search_faq(
    c: C, _: CurrentPrincipal, query: Annotated[str, Query(min_length=2, max_length=200)], language: Language = "en"
) -> Page[FaqEntry]:
    """The twenty best, by words and beginnings of words."""
    async with c.db.transaction() as session:
        rows = await store.search_entries(session, language, words_of(query), 20)
    return Page[FaqEntry](items=[FaqEntry.model_validate(dict(row)) for row in rows])


@router.get(
    "/categories", responses=problem_responses("validation-failed", table=problems), summary="List the FAQ's categories"
)
async def list_faq_categories(c: C, _: CurrentPrincipal, language: Language = "en") -> Page[FaqCategory]:
    """With the number of their entries."""
    async with c.db.transaction() as session:
        rows = await store.count_categories(session, language)
    return Page[FaqCategory](items=[FaqCategory.model_validate(dict(row)) for row in rows])


@router.get("/{entry_id}", responses=_ENTRY, summary="Read an FAQ entry")
async def read_faq_entry(entry_id: UUID, c: C, _: CurrentPrincipal) -> FaqEntry:
    """Counts as a view."""
    async with c.db.transaction() as session:
        row = await store.view_entry(session, entry_id)
    return FaqEntry.model_validate(_found(row))


@router.put("/{entry_id}/vote", responses=_ENTRY, summary="Say whether an answer helped")
async def vote_on_faq_entry(entry_id: UUID, body: Vote, c: C, who: Person) -> FaqEntry:
    """Once a person; voting again replaces your vote."""
    async with c.db.transaction() as session:
        row = await store.vote(session, entry_id, who.user_id, body.helpful)
    return FaqEntry.model_validate(_found(row))


@admin_router.get(
    "", responses=problem_responses(*_ADMIN, "invalid-cursor", table=problems), summary="List all entries"
)
async def list_all_faq_entries(c: C, page: PageParams, language: Language = "en") -> Page[FaqEntryForAdmins]:
    """Those that are not published too."""
    shown = await _page(c, page, language, None, False, model=FaqEntryForAdmins, published_only=False)
    return Page[FaqEntryForAdmins](items=shown.items, next_cursor=shown.next_cursor)


@admin_router.post(
    "",
    status_code=201,
    responses=problem_responses(*_ADMIN, "faq-entry-exists", table=problems),
    summary="Add an entry",
)
async def add_faq_entry(body: NewFaqEntry, c: C) -> FaqEntryForAdmins:
    """One entry for each slug and language."""
    async with c.db.transaction() as session:
        row = await store.add_entry(session, body.model_dump(), c.clock.now())
    if row is None:
        raise FaqEntryExists("This slug has an entry in this language; change that one.")
    return FaqEntryForAdmins.model_validate(dict(row))


@admin_router.patch(
    "/{entry_id}",
    responses=problem_responses(*_ADMIN, "faq-entry-not-found", table=problems),
    summary="Change an entry",
)
async def change_faq_entry(entry_id: UUID, body: FaqEntryChange, c: C) -> FaqEntryForAdmins:
    """Views and votes stay."""
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    async with c.db.transaction() as session:
        row = await store.change_entry(session, entry_id, values, c.clock.now())
    return FaqEntryForAdmins.model_validate(_found(row))


@admin_router.delete(
    "/{entry_id}",
    status_code=204,
    responses=problem_responses(*_ADMIN, "faq-entry-not-found", table=problems),
    summary="Remove an entry",
)
async def remove_faq_entry(entry_id: UUID, c: C) -> None:
    """With its votes."""
    async with c.db.transaction() as session:
        if not await store.remove_entry(session, entry_id):
            raise FaqEntryNotFound("There is no such entry.")


async def _page(
    c: Any,
    page: Any,
    language: str,
    category: str | None,
    featured: bool,
    *,
    model: type[FaqEntry] = FaqEntry,
    published_only: bool = True,
) -> Page[Any]:
    async with c.db.transaction() as session:
        rows = await store.list_entries(
            session,
            language=language,
            category=category,
            featured=featured,
            after=_after(page.cursor),
            limit=page.limit + 1,
            published_only=published_only,
        )
    shown = rows[: page.limit]
    following = None
    if len(rows) > page.limit:
        last = shown[-1]
        following = encode_cursor({"c": last["category"], "p": last["position"], "id": str(last["id"])})
    return Page[Any](items=[model.model_validate(dict(row)) for row in shown], next_cursor=following)


def _after(cursor: dict[str, Any] | None) -> tuple[str, int, UUID] | None:
    if cursor is None:
        return None
    try:
        category, position = cursor["c"], cursor["p"]
        if not isinstance(category, str) or type(position) is not int or abs(position) >= 2**31:
            raise TypeError("not what we wrote")
        return category, position, UUID(cursor["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor("Start again without a cursor.") from error


def _found(row: Any) -> dict[str, Any]:
    if row is None:
        raise FaqEntryNotFound("There is no such entry.")
    return dict(row)
