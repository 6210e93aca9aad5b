"""The function that stores a text in one round trip."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The same rules as `conversations/rules.py` and `send_message.py`, in the same order; a test holds the two together.
_FUNCTION = """
CREATE FUNCTION post_text(
    p_place uuid, p_sender uuid, p_staff boolean, p_client text, p_text text, p_id uuid, p_now timestamptz
) RETURNS TABLE (
    outcome text, said_id uuid, said_seq bigint, said_at timestamptz, side text, status_before text, place_after jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    place conversation;
    before message;
    was text;
    kind text;
BEGIN
    SELECT * INTO place FROM conversation c WHERE c.id = p_place FOR UPDATE;
    IF NOT FOUND OR (place.user_id <> p_sender AND NOT p_staff) THEN
        RETURN QUERY SELECT 'not_found', NULL::uuid, NULL::bigint, NULL::timestamptz, NULL, NULL, NULL::jsonb;
        RETURN;
    END IF;
    was := place.status;
    kind := CASE WHEN place.user_id = p_sender THEN 'traveller' ELSE 'staff' END;
    SELECT * INTO before FROM message m
        WHERE m.conversation_id = p_place AND m.sender_id = p_sender AND m.client_id = p_client;
    IF FOUND THEN
        RETURN QUERY SELECT
            CASE WHEN before.type = 'text' AND before.text = p_text THEN 'repeated' ELSE 'reused' END,
            before.id, before.seq, before.created_at, kind, was, to_jsonb(place);
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM account a WHERE a.user_id = p_sender AND (a.suspended OR a.deleted_at IS NOT NULL)) THEN
        RETURN QUERY SELECT 'blocked', NULL::uuid, NULL::bigint, NULL::timestamptz, kind, was, NULL::jsonb;
        RETURN;
    END IF;
    IF kind = 'staff' AND place.assignee_id IS NOT NULL AND place.assignee_id <> p_sender THEN
        RETURN QUERY SELECT 'taken', NULL::uuid, NULL::bigint, NULL::timestamptz, kind, was, NULL::jsonb;
        RETURN;
    END IF;
    INSERT INTO message (conversation_id, seq, id, sender_kind, sender_id, client_id, type, text, created_at)
        VALUES (p_place, place.last_seq + 1, p_id, kind, p_sender, p_client, 'text', p_text, p_now);
    UPDATE conversation c SET
        last_seq = c.last_seq + 1,
        last_message_at = p_now,
        status = CASE WHEN kind = 'staff' THEN 'assigned' WHEN c.status = 'idle' THEN 'waiting' ELSE c.status END,
        assignee_id = CASE WHEN kind = 'staff' THEN p_sender ELSE c.assignee_id END,
        waiting_since = CASE
            WHEN kind = 'traveller' AND c.status IN ('idle', 'waiting') THEN coalesce(c.waiting_since, p_now)
        END,
        staff_unread = c.staff_unread + CASE WHEN kind = 'traveller' THEN 1 ELSE 0 END,
        traveller_unread = c.traveller_unread + CASE WHEN kind = 'staff' THEN 1 ELSE 0 END
        WHERE c.id = p_place RETURNING * INTO place;
    RETURN QUERY SELECT 'posted', p_id, place.last_seq, p_now, kind, was, to_jsonb(place);
END $$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION post_text")
