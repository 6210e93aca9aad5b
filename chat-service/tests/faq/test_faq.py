import asyncio
from typing import Any

from chat_service.faq.seed_entries import SEED
from chat_service.faq.words import overlap, words_of
from chat_service.seed import seed
from rihla.kernel import new_id


def entry(slug: str = "pets", **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "category": "travel",
        "question": "May I bring a cat?",
        "answer": "In a box under the seat.",
        **more,
    }


def test_words_are_cut_to_what_matters() -> None:
    assert words_of("How do I change my bags? Bags!") == ["change", "bag"]
    assert words_of("অনলাইন ব্যাগেজ কখন খোলে") == ["অনলাইন", "ব্যাগেজ", "খোলে"]
    assert words_of("'; DROP TABLE x; --") == ["drop", "table"]
    assert overlap(words_of("baggage lost"), "My baggage is lost") == 1.0
    assert overlap([], "anything") == 0.0


async def test_the_seed_may_be_repeated_and_leaves_changes_alone(stack: Any, settings: Any, clock: Any) -> None:
    assert await seed(settings, clock) == sum(len(one.texts) for one in SEED)
    admin = stack.person("admin")
    first = (await admin.get("/v1/admin/faq"))["items"][0]
    await admin.call("PATCH", f"/v1/admin/faq/{first['id']}", json={"answer": "Changed by us."})
    assert await seed(settings, clock) == 0
    assert (await stack.person().get(f"/v1/faq/{first['id']}"))["answer"] == "Changed by us."
    assert {one["category"] for one in (await admin.get("/v1/faq/categories"))["items"]} >= {"baggage", "refunds"}
    assert (await admin.get("/v1/faq", language="bn", featured=True))["items"]


async def test_entries_are_listed_in_order_page_by_page_and_searched(stack: Any, settings: Any, clock: Any) -> None:
    await seed(settings, clock)
    me = stack.person()
    seen: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = await me.get("/v1/faq", limit=4, **({"cursor": cursor} if cursor else {}))
        seen += [(one["category"], one["position"]) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(SEED)
    found = await me.get("/v1/faq/search", query="my bags were lost")
    assert "lost-baggage" in [one["slug"] for one in found["items"]]
    for strange in ("' | ! & :*", "the and", "((((", "a:b & c"):
        assert (await me.call("GET", "/v1/faq/search", params={"query": strange})).status_code == 200
    assert (await me.get("/v1/faq/search", query="ব্যাগেজ", language="bn"))["items"]


async def test_each_person_has_one_vote_and_views_are_counted(stack: Any) -> None:
    admin = stack.person("admin")
    made = await admin.post("/v1/admin/faq", entry(), status=201)
    url = f"/v1/faq/{made['id']}"
    people = [stack.person() for _ in range(4)]
    votes = [one.call("PUT", f"{url}/vote", json={"helpful": number > 0}) for number, one in enumerate(people)]
    await asyncio.gather(*votes, *(people[1].call("PUT", f"{url}/vote", json={"helpful": True}) for _ in range(3)))
    shown = await people[0].get(url)
    assert (shown["helpful"], shown["not_helpful"], shown["views"]) == (3, 1, 1)
    changed = (await people[0].call("PUT", f"{url}/vote", json={"helpful": True})).json()
    assert (changed["helpful"], changed["not_helpful"]) == (4, 0)
    nobody = await stack.client.put(f"{url}/vote", json={"helpful": True})
    assert nobody.status_code == 401


async def test_administrators_write_entries_and_readers_see_published_ones_only(stack: Any) -> None:
    admin, me = stack.person("admin"), stack.person()
    made = await admin.post("/v1/admin/faq", entry(published=False), status=201)
    assert (await me.call("GET", f"/v1/faq/{made['id']}")).status_code == 404
    assert (await me.get("/v1/faq"))["items"] == []
    again = await admin.call("POST", "/v1/admin/faq", json=entry())
    assert (again.status_code, again.json()["code"]) == (409, "faq-entry-exists")
    await admin.call("PATCH", f"/v1/admin/faq/{made['id']}", json={"published": True, "featured": True})
    assert [one["slug"] for one in (await me.get("/v1/faq", featured=True))["items"]] == ["pets"]
    assert (await me.call("POST", "/v1/admin/faq", json=entry("x"))).status_code == 403
    assert (await admin.call("DELETE", f"/v1/admin/faq/{made['id']}")).status_code == 204
    assert (await admin.call("DELETE", f"/v1/admin/faq/{new_id()}")).status_code == 404
