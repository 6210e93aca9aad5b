"""grouped writes: one call writes a group of payments, and the ledger's guards look at whole statements"""

import re

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The same guards as in 0001, once for each statement instead of once for each row. Checking the rows of one statement
# is stricter than checking the posting at commit: every INSERT must balance by itself, so every posting always does.
_BY_STATEMENT = """
DROP TRIGGER posting_balances ON ledger_entry;
DROP TRIGGER entry_of_open_posting ON ledger_entry;
DROP FUNCTION ledger_entry_of_open_posting();
DROP TRIGGER queue_for_seal ON ledger_posting;

CREATE OR REPLACE FUNCTION ledger_posting_balances() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off AS $$
DECLARE
  wrong uuid;
BEGIN
  SELECT a.posting_id INTO wrong FROM added a
    WHERE EXISTS (SELECT 1 FROM ledger_link l WHERE l.posting_id = a.posting_id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'posting % is sealed', wrong USING ERRCODE = 'restrict_violation';
  END IF;
  SELECT posting_id INTO wrong FROM added GROUP BY posting_id, unit HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'posting % does not sum to zero in every unit', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER posting_balances AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_posting_balances();

CREATE OR REPLACE FUNCTION ledger_queue_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_unsealed (posting_id) SELECT id FROM added;
  RETURN NULL;
END $$;
CREATE TRIGGER queue_for_seal AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_queue_for_seal();
"""

# Everything a group of payments changes, in one transaction. Rows that change do so under the version that was read
# (a payment's sequence, an account's version); when one has moved nothing is written and the caller reads again.
# Locks are taken in one order everywhere: payments, parts, accounts.
_WRITE = """
CREATE FUNCTION till_write(batch jsonb, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
    # The driver prepares statements one by one, so each goes alone.
    for statement in re.split(r";\n+(?=CREATE |DROP )", (_BY_STATEMENT + _WRITE).strip()):
        op.execute(statement)


_BY_ROW = """
DROP FUNCTION till_write(jsonb, timestamptz);
DROP TRIGGER posting_balances ON ledger_entry;
DROP TRIGGER queue_for_seal ON ledger_posting;
CREATE OR REPLACE FUNCTION ledger_posting_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_entry WHERE posting_id = NEW.posting_id GROUP BY unit HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'posting % does not sum to zero in every unit', NEW.posting_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_balances AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_posting_balances();
CREATE OR REPLACE FUNCTION ledger_queue_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger_unsealed (posting_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER queue_for_seal AFTER INSERT ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_queue_for_seal();
CREATE FUNCTION ledger_entry_of_open_posting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_link WHERE posting_id = NEW.posting_id) THEN
    RAISE EXCEPTION 'posting % is sealed', NEW.posting_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entry_of_open_posting BEFORE INSERT ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION ledger_entry_of_open_posting();
"""


def downgrade() -> None:
    for statement in re.split(r";\n+(?=CREATE |DROP )", _BY_ROW.strip()):
        op.execute(statement)
