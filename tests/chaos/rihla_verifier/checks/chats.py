"""Chat: what a client was told is stored is there, once and word for word, in a conversation without a hole."""

from uuid import UUID

from rihla_verifier.findings import Check, Evidence


async def _said_is_stored_once(evidence: Evidence) -> list[str]:
    told = {UUID(one.id): one for one in evidence.history if one.deed == "say" and one.accepted}
    rows = await evidence.databases.rows(
        "chat",
        "SELECT id, client_id, text FROM message WHERE id = ANY($1::uuid[]) OR client_id = ANY($2::text[])",
        list(told),
        [one.key for one in told.values()],
    )
    texts = {row["id"]: row["text"] for row in rows}
    copies: dict[str, int] = {}
    for row in rows:
        copies[row["client_id"]] = copies.get(row["client_id"], 0) + 1
    found = [
        f"a client was told that message {message_id} is stored, which is "
        f"{'not there' if message_id not in texts else 'stored with other words'}"
        for message_id, one in told.items()
        if texts.get(message_id) != one.said
    ]
    return found + [
        f"what a client said once ({one.key}) is stored {copies[one.key]} times"
        for one in told.values()
        if copies.get(one.key, 0) > 1
    ]


async def _numbered_without_a_hole(evidence: Evidence) -> list[str]:
    rows = await evidence.databases.rows(
        "chat",
        "SELECT c.id, c.last_seq, count(m.seq) AS messages, coalesce(max(m.seq), 0) AS highest "
        "FROM conversation c LEFT JOIN message m ON m.conversation_id = c.id GROUP BY c.id, c.last_seq "
        "HAVING count(m.seq) <> c.last_seq OR coalesce(max(m.seq), 0) <> c.last_seq",
    )
    return [
        f"conversation {row['id']} counts {row['last_seq']} messages; {row['messages']} are there, "
        f"the last numbered {row['highest']}"
        for row in rows
    ]


CHATS = (
    Check("said is stored", "every chat message a client was told of is stored once", ("chat",), _said_is_stored_once),
    Check("chat unbroken", "a conversation is numbered without a hole", ("chat",), _numbered_without_a_hole),
)
