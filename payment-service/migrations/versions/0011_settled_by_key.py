"""settled payments and parts are found by their keys, one by one

Joined with the batch, both updates were planned on empty tables: one read the index of open payments and the other all
parts, whole, for each group, until statistics were taken. A single key cannot be planned wrongly; and the states are
variables, so that no partial index of them is preferred to the key. Everything else is as in 0003.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Locks are taken in one order everywhere: payments by id, their parts, accounts.
_WRITE = """
CREATE OR REPLACE FUNCTION till_write(batch jsonb, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  wanted integer;
  done integer;
  one record;
  open_payment CONSTANT text[] := ARRAY['processing', 'requires_action'];
  open_part CONSTANT text[] := ARRAY['taking', 'requires_action'];
BEGIN
  IF batch ? 'settled' THEN
    FOR one IN
      SELECT * FROM jsonb_to_recordset(batch->'settled') AS s(payment_id uuid, sequence bigint) ORDER BY payment_id
    LOOP
      UPDATE payment p SET status = 'succeeded', next_action = NULL, succeeded_at = at, updated_at = at,
          sequence = p.sequence + 1
        WHERE p.id = one.payment_id AND p.sequence = one.sequence AND p.status = ANY (open_payment);
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a payment has moved' USING ERRCODE = 'RP001';
      END IF;
    END LOOP;
    FOR one IN
      SELECT * FROM jsonb_to_recordset(batch->'settled')
        AS s(part_id uuid, provider_reference text, card_brand text, card_last4 text)
    LOOP
      UPDATE payment_part pp SET status = 'taken', taken_at = at, failure_code = NULL, failure_message = NULL,
          provider_reference = one.provider_reference, card_brand = one.card_brand, card_last4 = one.card_last4
        WHERE pp.id = one.part_id AND pp.status = ANY (open_part);
      IF NOT FOUND THEN
        RAISE EXCEPTION 'a part has moved' USING ERRCODE = 'RP001';
      END IF;
    END LOOP;
  END IF;

  IF batch ? 'spent' THEN
    wanted := jsonb_array_length(batch->'spent');
    IF wanted > 1 THEN
      PERFORM 1 FROM ledger_account WHERE id = ANY (
        ARRAY(SELECT (s->>'account_id')::uuid FROM jsonb_array_elements(batch->'spent') s)) ORDER BY id FOR UPDATE;
    END IF;
    UPDATE ledger_account a SET balance = a.balance - s.amount, version = a.version + s.entries
      FROM jsonb_to_recordset(batch->'spent') AS s(account_id uuid, version bigint, amount bigint, entries bigint)
      WHERE a.id = s.account_id AND a.version = s.version AND NOT a.frozen;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
      RAISE EXCEPTION 'a wallet has moved' USING ERRCODE = 'RP001';
    END IF;
  END IF;

  IF batch ? 'opened' THEN
    INSERT INTO ledger_account (id, kind, unit)
      SELECT o.id, o.kind, o.unit FROM jsonb_to_recordset(batch->'opened') AS o(id uuid, kind text, unit text)
      WHERE NOT EXISTS (SELECT 1 FROM ledger_account known WHERE known.id = o.id) ORDER BY o.id
      ON CONFLICT DO NOTHING;
  END IF;

  IF batch ? 'keys' THEN
    INSERT INTO idempotency_key
        (scope, key, fingerprint, resource_id, lease_until, status, media_type, body, created_at)
      SELECT k.scope, k.key, decode(k.fingerprint, 'hex'), k.resource_id, k.lease_until, k.status, k.media_type,
        convert_to(k.body, 'UTF8'), at
      FROM jsonb_to_recordset(batch->'keys') AS k(scope text, key text, fingerprint text, resource_id uuid,
        lease_until timestamptz, status integer, media_type text, body text);
  END IF;

  IF batch ? 'payments' THEN
    INSERT INTO payment SELECT (jsonb_populate_recordset(NULL::payment, batch->'payments')).*;
    INSERT INTO payment_part SELECT (jsonb_populate_recordset(NULL::payment_part, batch->'parts')).*;
  END IF;

  IF batch ? 'postings' THEN
    INSERT INTO ledger_posting (id, key, kind, reference_id, posted_at)
      SELECT p.id, p.key, p.kind, p.reference_id, at
      FROM jsonb_to_recordset(batch->'postings') AS p(id uuid, key text, kind text, reference_id uuid);
    INSERT INTO ledger_entry (posting_id, account_id, unit, amount, balance_after)
      SELECT (e->>0)::uuid, (e->>1)::uuid, e->>2, (e->>3)::bigint, (e->>4)::bigint
      FROM jsonb_array_elements(batch->'entries') WITH ORDINALITY AS x(e, n) ORDER BY x.n;
  END IF;

  IF batch ? 'told' THEN
    INSERT INTO provider_event
        (id, provider, event_id, type, facts, status, received_at, handled_at, next_attempt_at)
      SELECT t.id, t.provider, t.event_id, t.type, t.facts, t.status, at,
        CASE WHEN t.status = 'pending' THEN NULL ELSE at END, t.next_attempt_at
      FROM jsonb_to_recordset(batch->'told') AS t(id uuid, provider text, event_id text, type text, facts jsonb,
        status text, next_attempt_at timestamptz);
  END IF;

  IF batch ? 'answers' THEN
    UPDATE idempotency_key k SET status = 201, media_type = 'application/json', body = convert_to(a.body, 'UTF8')
      FROM jsonb_to_recordset(batch->'answers') AS a(scope text, key text, body text)
      WHERE k.scope = a.scope AND k.key = a.key;
  END IF;

  IF batch ? 'events' THEN
    INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at)
      SELECT e.id, e.aggregate_id, e.sequence, e.type, e.envelope, at, at
      FROM jsonb_to_recordset(batch->'events')
        AS e(id uuid, aggregate_id uuid, sequence bigint, type text, envelope jsonb);
    PERFORM pg_notify('rihla_outbox', '');
  END IF;
END $$;
"""

_BEFORE = """
CREATE OR REPLACE FUNCTION till_write(batch jsonb, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  wanted integer;
  done integer;
BEGIN
  IF batch ? 'settled' THEN
    wanted := jsonb_array_length(batch->'settled');
    IF wanted > 1 THEN
      PERFORM 1 FROM payment WHERE id = ANY (
        ARRAY(SELECT (s->>'payment_id')::uuid FROM jsonb_array_elements(batch->'settled') s)) ORDER BY id FOR UPDATE;
    END IF;
    UPDATE payment p SET status = 'succeeded', next_action = NULL, succeeded_at = at, updated_at = at,
        sequence = p.sequence + 1
      FROM jsonb_to_recordset(batch->'settled') AS s(payment_id uuid, sequence bigint)
      WHERE p.id = s.payment_id AND p.sequence = s.sequence AND p.status IN ('processing', 'requires_action');
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
      RAISE EXCEPTION 'a payment has moved' USING ERRCODE = 'RP001';
    END IF;
    UPDATE payment_part pp SET status = 'taken', taken_at = at, failure_code = NULL, failure_message = NULL,
        provider_reference = s.provider_reference, card_brand = s.card_brand, card_last4 = s.card_last4
      FROM jsonb_to_recordset(batch->'settled')
        AS s(part_id uuid, provider_reference text, card_brand text, card_last4 text)
      WHERE pp.id = s.part_id AND pp.status IN ('taking', 'requires_action');
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
      RAISE EXCEPTION 'a part has moved' USING ERRCODE = 'RP001';
    END IF;
  END IF;

  IF batch ? 'spent' THEN
    wanted := jsonb_array_length(batch->'spent');
    IF wanted > 1 THEN
      PERFORM 1 FROM ledger_account WHERE id = ANY (
        ARRAY(SELECT (s->>'account_id')::uuid FROM jsonb_array_elements(batch->'spent') s)) ORDER BY id FOR UPDATE;
    END IF;
    UPDATE ledger_account a SET balance = a.balance - s.amount, version = a.version + s.entries
      FROM jsonb_to_recordset(batch->'spent') AS s(account_id uuid, version bigint, amount bigint, entries bigint)
      WHERE a.id = s.account_id AND a.version = s.version AND NOT a.frozen;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> wanted THEN
      RAISE EXCEPTION 'a wallet has moved' USING ERRCODE = 'RP001';
    END IF;
  END IF;

  IF batch ? 'opened' THEN
    INSERT INTO ledger_account (id, kind, unit)
      SELECT o.id, o.kind, o.unit FROM jsonb_to_recordset(batch->'opened') AS o(id uuid, kind text, unit text)
      WHERE NOT EXISTS (SELECT 1 FROM ledger_account known WHERE known.id = o.id) ORDER BY o.id
      ON CONFLICT DO NOTHING;
  END IF;

  IF batch ? 'keys' THEN
    INSERT INTO idempotency_key
        (scope, key, fingerprint, resource_id, lease_until, status, media_type, body, created_at)
      SELECT k.scope, k.key, decode(k.fingerprint, 'hex'), k.resource_id, k.lease_until, k.status, k.media_type,
        convert_to(k.body, 'UTF8'), at
      FROM jsonb_to_recordset(batch->'keys') AS k(scope text, key text, fingerprint text, resource_id uuid,
        lease_until timestamptz, status integer, media_type text, body text);
  END IF;

  IF batch ? 'payments' THEN
    INSERT INTO payment SELECT (jsonb_populate_recordset(NULL::payment, batch->'payments')).*;
    INSERT INTO payment_part SELECT (jsonb_populate_recordset(NULL::payment_part, batch->'parts')).*;
  END IF;

  IF batch ? 'postings' THEN
    INSERT INTO ledger_posting (id, key, kind, reference_id, posted_at)
      SELECT p.id, p.key, p.kind, p.reference_id, at
      FROM jsonb_to_recordset(batch->'postings') AS p(id uuid, key text, kind text, reference_id uuid);
    INSERT INTO ledger_entry (posting_id, account_id, unit, amount, balance_after)
      SELECT (e->>0)::uuid, (e->>1)::uuid, e->>2, (e->>3)::bigint, (e->>4)::bigint
      FROM jsonb_array_elements(batch->'entries') WITH ORDINALITY AS x(e, n) ORDER BY x.n;
  END IF;

  IF batch ? 'told' THEN
    INSERT INTO provider_event
        (id, provider, event_id, type, facts, status, received_at, handled_at, next_attempt_at)
      SELECT t.id, t.provider, t.event_id, t.type, t.facts, t.status, at,
        CASE WHEN t.status = 'pending' THEN NULL ELSE at END, t.next_attempt_at
      FROM jsonb_to_recordset(batch->'told') AS t(id uuid, provider text, event_id text, type text, facts jsonb,
        status text, next_attempt_at timestamptz);
  END IF;

  IF batch ? 'answers' THEN
    UPDATE idempotency_key k SET status = 201, media_type = 'application/json', body = convert_to(a.body, 'UTF8')
      FROM jsonb_to_recordset(batch->'answers') AS a(scope text, key text, body text)
      WHERE k.scope = a.scope AND k.key = a.key;
  END IF;

  IF batch ? 'events' THEN
    INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at)
      SELECT e.id, e.aggregate_id, e.sequence, e.type, e.envelope, at, at
      FROM jsonb_to_recordset(batch->'events')
        AS e(id uuid, aggregate_id uuid, sequence bigint, type text, envelope jsonb);
    PERFORM pg_notify('rihla_outbox', '');
  END IF;
END $$;
"""


def upgrade() -> None:
    op.execute(_WRITE)


def downgrade() -> None:
    op.execute(_BEFORE)
