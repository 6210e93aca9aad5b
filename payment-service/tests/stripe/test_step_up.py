"""Saving and removing a card asks people with two-factor sign-in for a fresh proof; reading and paying do not."""

from typing import Any
from uuid import UUID

Stack = Any
StripeServer = Any
PATH = "/v1/payment-methods"


async def test_a_card_is_saved_and_removed_only_with_a_fresh_second_factor(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    proved = int(stack.clock.now().timestamp())
    stale = stack.person(user_id, second_factor_at=proved - 600)
    fresh = stack.person(user_id, second_factor_at=proved - 599)
    refused = await stack.client.post(PATH, json={"provider": "stripe"}, headers=stale)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
    assert refused.json()["next"]["href"] == "/v1/me/two-factor/step-up"
    assert (company.setups, company.customers) == ({}, {})
    begun = await stack.client.post(PATH, json={"provider": "stripe"}, headers=fresh)
    assert begun.status_code == 201, begun.text
    one = f"{PATH}/{begun.json()['id']}"
    assert (await stack.client.get(PATH, headers=stale)).status_code == 200
    kept = await stack.client.delete(one, headers=stale)
    assert (kept.status_code, kept.json()["code"]) == (403, "step-up-required")
    assert (await stack.client.delete(one, headers=fresh)).status_code == 204
