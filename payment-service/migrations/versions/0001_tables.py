"""tables"""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The ledger's own guards: whatever a program does, what is written stays and balances.
_GUARDS = """
CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: % on % is not allowed', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_link FOR EACH ROW EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger_posting EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger_entry EXECUTE FUNCTION ledger_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ledger_link EXECUTE FUNCTION ledger_append_only();

CREATE FUNCTION ledger_posting_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_entry WHERE posting_id = NEW.posting_id GROUP BY unit HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'posting % does not sum to zero in every unit', NEW.posting_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER posting_balances AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_posting_balances();

CREATE FUNCTION ledger_queue_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION ledger_account_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR
     (NEW.id, NEW.kind, NEW.unit, NEW.owner_id) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.unit, OLD.owner_id) THEN
    RAISE EXCEPTION 'a ledger account keeps its identity' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keeps_identity BEFORE UPDATE OR DELETE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_account_identity();
"""

_FUNCTIONS = (
    "ledger_append_only",
    "ledger_posting_balances",
    "ledger_queue_for_seal",
    "ledger_entry_of_open_posting",
    "ledger_account_identity",
)


def upgrade() -> None:
    op.create_table(
        "coin_lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the fact that granted it, e.g. joining:<user id>"),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("granted > 0", name=op.f("ck_coin_lot_granted_positive")),
        sa.CheckConstraint(
            "remaining >= 0 AND remaining <= granted", name=op.f("ck_coin_lot_remaining_within_granted")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coin_lot")),
        sa.UniqueConstraint("source", name=op.f("uq_coin_lot_source")),
    )
    op.create_index(
        "ix_coin_lot_expiring", "coin_lot", ["expires_at"], unique=False, postgresql_where=sa.text("remaining > 0")
    )
    op.create_index(
        "ix_coin_lot_user_left",
        "coin_lot",
        ["user_id", "expires_at", "id"],
        unique=False,
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("media_type", sa.String(length=60), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False)
    op.create_table(
        "inbox_sequence",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("aggregate", sa.String(length=120), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "aggregate", name=op.f("pk_inbox_sequence")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "balance", sa.BigInteger(), nullable=True, comment="cached for user accounts, null for system accounts"
        ),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("frozen", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(owner_id IS NULL) = (balance IS NULL)", name=op.f("ck_ledger_account_balance_cached_for_owners")
        ),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_ledger_account_balance_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("id", "unit", name=op.f("uq_ledger_account_id_unit")),
    )
    op.create_index(
        "uq_ledger_account_owner",
        "ledger_account",
        ["owner_id", "kind", "unit"],
        unique=True,
        postgresql_where=sa.text("owner_id IS NOT NULL"),
    )
    op.create_index(
        "uq_ledger_account_system",
        "ledger_account",
        ["kind", "unit"],
        unique=True,
        postgresql_where=sa.text("owner_id IS NULL"),
    )
    op.create_table(
        "ledger_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_check")),
    )
    op.create_index("ix_ledger_check_finished_at", "ledger_check", ["finished_at"], unique=False)
    op.create_table(
        "ledger_posting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_posting")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_posting_key")),
    )
    op.create_index("ix_ledger_posting_posted_at", "ledger_posting", ["posted_at"], unique=False)
    op.create_index("ix_ledger_posting_reference_id", "ledger_posting", ["reference_id"], unique=False)
    op.create_table(
        "ledger_unsealed",
        sa.Column("queued", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("queued", name=op.f("pk_ledger_unsealed")),
        sa.UniqueConstraint("posting_id", name=op.f("uq_ledger_unsealed_posting_id")),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("envelope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index("ix_outbox_aggregate_id_position", "outbox", ["aggregate_id", "position"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="charge, top_up or subscription"),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_period_id", sa.Uuid(), nullable=True),
        sa.Column("booking_reference", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("method_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("next_action", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("payable_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("test_mode", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False, comment="until then the request owns it"),
        sa.Column("reconcile_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(purpose = 'charge') = (charge_id IS NOT NULL)", name=op.f("ck_payment_charge_present")),
        sa.CheckConstraint("(status = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_payment_failure_said")),
        sa.CheckConstraint(
            "status IN ('processing','requires_action','succeeded','failed')", name=op.f("ck_payment_status_known")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_booking_id", "payment", ["booking_id"], unique=False)
    op.create_index("ix_payment_created_at", "payment", ["created_at"], unique=False)
    op.create_index(
        "ix_payment_open",
        "payment",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("status IN ('processing','requires_action')"),
    )
    op.create_index("ix_payment_user_id_id", "payment", ["user_id", "id"], unique=False)
    op.create_index(
        "uq_payment_succeeded_charge",
        "payment",
        ["charge_id"],
        unique=True,
        postgresql_where=sa.text("status = 'succeeded'"),
    )
    op.create_index(
        "uq_payment_succeeded_period",
        "payment",
        ["subscription_period_id"],
        unique=True,
        postgresql_where=sa.text("status = 'succeeded'"),
    )
    op.create_table(
        "promo_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False, comment="upper case"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="percent or fixed"),
        sa.Column("percent_basis_points", sa.Integer(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column(
            "currency",
            sa.Text(),
            nullable=True,
            comment="required for fixed codes; with percent it limits the code to one currency",
        ),
        sa.Column("max_discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("min_spend_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "routes",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="DAC-JED, DAC-*, *-JED; empty for all",
        ),
        sa.Column("airlines", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("cabins", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("first_booking_only", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("total_limit", sa.Integer(), nullable=True),
        sa.Column("per_user_limit", sa.Integer(), nullable=True),
        sa.Column("used_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("travel_from", sa.Date(), nullable=True),
        sa.Column("travel_until", sa.Date(), nullable=True),
        sa.Column(
            "stackable",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="usable beside sale fares",
        ),
        sa.Column("special_offer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'percent' AND percent_basis_points BETWEEN 1 AND 10000 AND value_minor IS NULL) OR "
            "(kind = 'fixed' AND value_minor > 0 AND currency IS NOT NULL AND percent_basis_points IS NULL)",
            name=op.f("ck_promo_code_value_fits_kind"),
        ),
        sa.CheckConstraint("kind IN ('percent','fixed')", name=op.f("ck_promo_code_kind_known")),
        sa.CheckConstraint(
            "starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at", name=op.f("ck_promo_code_starts_before_end")
        ),
        sa.CheckConstraint(
            "total_limit IS NULL OR used_count <= total_limit", name=op.f("ck_promo_code_used_within_limit")
        ),
        sa.CheckConstraint("used_count >= 0", name=op.f("ck_promo_code_used_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promo_code")),
        sa.UniqueConstraint("code", name=op.f("uq_promo_code_code")),
    )
    op.create_index(
        "ix_promo_code_special_offer",
        "promo_code",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("special_offer AND active"),
    )
    op.create_table(
        "provider_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the signed fields we use; never card data",
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="pending, handled or ignored"),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_provider_event_provider_event_id")),
    )
    op.create_index(
        "ix_provider_event_pending",
        "provider_event",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "subscription_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="rides or discount"),
        sa.Column("rides_per_period", sa.Integer(), nullable=True),
        sa.Column("discount_basis_points", sa.Integer(), nullable=True),
        sa.Column("routes", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("cabin", sa.Text(), server_default="economy", nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'rides' AND rides_per_period > 0 AND discount_basis_points IS NULL) OR "
            "(kind = 'discount' AND discount_basis_points BETWEEN 1 AND 10000 AND rides_per_period IS NULL)",
            name=op.f("ck_subscription_plan_value_fits_kind"),
        ),
        sa.CheckConstraint("price_minor > 0", name=op.f("ck_subscription_plan_price_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_plan")),
        sa.UniqueConstraint("code", name=op.f("uq_subscription_plan_code")),
    )
    op.create_table(
        "coin_lot_use",
        sa.Column("payment_part_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("coins", sa.BigInteger(), nullable=False),
        sa.Column("given_back", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("coins > 0", name=op.f("ck_coin_lot_use_coins_positive")),
        sa.CheckConstraint(
            "given_back >= 0 AND given_back <= coins", name=op.f("ck_coin_lot_use_given_back_within_coins")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["coin_lot.id"], name=op.f("fk_coin_lot_use_lot_id")),
        sa.PrimaryKeyConstraint("payment_part_id", "lot_id", name=op.f("pk_coin_lot_use")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=True, comment="running balance of a user account"),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entry_amount_not_zero")),
        sa.CheckConstraint("balance_after >= 0", name=op.f("ck_ledger_entry_balance_after_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id", "unit"],
            ["ledger_account.id", "ledger_account.unit"],
            name=op.f("fk_ledger_entry_account_id_unit"),
        ),
        sa.ForeignKeyConstraint(["posting_id"], ["ledger_posting.id"], name=op.f("fk_ledger_entry_posting_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index("ix_ledger_entry_account_id_id", "ledger_entry", ["account_id", "id"], unique=False)
    op.create_index("ix_ledger_entry_posting_id", "ledger_entry", ["posting_id"], unique=False)
    op.create_table(
        "ledger_link",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["ledger_posting.id"], name=op.f("fk_ledger_link_posting_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_link")),
        sa.UniqueConstraint("posting_id", name=op.f("uq_ledger_link_posting_id")),
    )
    op.create_table(
        "payment_part",
        sa.Column("id", sa.Uuid(), nullable=False, comment="also the idempotency key at the provider"),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="card, wallet or coins"),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("coins", sa.BigInteger(), nullable=True, comment="coins taken, for kind coins"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("card_brand", sa.Text(), nullable=True),
        sa.Column("card_last4", sa.Text(), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'card') = (provider IS NOT NULL)", name=op.f("ck_payment_part_provider_for_cards")),
        sa.CheckConstraint("(kind = 'coins') = (coins IS NOT NULL)", name=op.f("ck_payment_part_coins_for_coins")),
        sa.CheckConstraint("card_last4 ~ '^[0-9]{4}$'", name=op.f("ck_payment_part_last4_is_four_digits")),
        sa.CheckConstraint(
            "status IN ('taking','requires_action','taken','failed','given_back')",
            name=op.f("ck_payment_part_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_part_amount_positive")),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= amount_minor",
            name=op.f("ck_payment_part_refunded_within_amount"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_part_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_part")),
        sa.UniqueConstraint("payment_id", "position", name=op.f("uq_payment_part_payment_id_position")),
    )
    op.create_index(
        "uq_payment_part_provider_reference",
        "payment_part",
        ["provider", "provider_reference"],
        unique=True,
        postgresql_where=sa.text("provider_reference IS NOT NULL"),
    )
    op.create_table(
        "promo_use",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("promo_code_id", sa.Uuid(), nullable=True, comment="null in a tombstone"),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "user_slot", sa.Integer(), nullable=True, comment="1..per_user_limit while it counts for the person's limit"
        ),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column(
            "fingerprint", sa.Text(), nullable=True, comment="of the request, to tell a repeat from another content"
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "counted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="part of used_count"
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status = 'released' OR promo_code_id IS NOT NULL", name=op.f("ck_promo_use_tombstone_is_released")
        ),
        sa.CheckConstraint("status IN ('reserved','consumed','released')", name=op.f("ck_promo_use_status_known")),
        sa.CheckConstraint("counted OR user_slot IS NULL", name=op.f("ck_promo_use_slot_only_while_counted")),
        sa.ForeignKeyConstraint(["promo_code_id"], ["promo_code.id"], name=op.f("fk_promo_use_promo_code_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_promo_use")),
    )
    op.create_index(
        "ix_promo_use_expiring",
        "promo_use",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'reserved'"),
    )
    op.create_index(
        "uq_promo_use_slot",
        "promo_use",
        ["promo_code_id", "user_id", "user_slot"],
        unique=True,
        postgresql_where=sa.text("user_slot IS NOT NULL"),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True, comment="why an administrator asked for it"),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending','succeeded','failed')", name=op.f("ck_refund_status_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount_positive")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_index("ix_refund_status_id", "refund", ["status", "id"], unique=False)
    op.create_index("ix_refund_user_id", "refund", ["user_id"], unique=False)
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "travel_pattern",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="weekdays and times the traveller picked",
        ),
        sa.Column("cancel_at_period_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("current_period_start", sa.Date(), nullable=True),
        sa.Column("current_period_end", sa.Date(), nullable=True, comment="exclusive"),
        sa.Column("anchor_day", sa.Integer(), nullable=False),
        sa.Column("next_renewal_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewal_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('incomplete','active','past_due','paused','cancelled')",
            name=op.f("ck_subscription_status_known"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["subscription_plan.id"], name=op.f("fk_subscription_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(
        "ix_subscription_renewal",
        "subscription",
        ["next_renewal_at"],
        unique=False,
        postgresql_where=sa.text("next_renewal_at IS NOT NULL"),
    )
    op.create_index(
        "uq_subscription_live",
        "subscription",
        ["user_id", "plan_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('incomplete','active','past_due','paused')"),
    )
    op.create_table(
        "refund_part",
        sa.Column("id", sa.Uuid(), nullable=False, comment="also the idempotency key at the provider"),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("payment_part_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="where it goes: card, wallet or coins"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("coins", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('pending','succeeded','failed')", name=op.f("ck_refund_part_status_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_part_amount_positive")),
        sa.ForeignKeyConstraint(["payment_part_id"], ["payment_part.id"], name=op.f("fk_refund_part_payment_part_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_part_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_part")),
        sa.UniqueConstraint("refund_id", "payment_part_id", name=op.f("uq_refund_part_refund_id_payment_part_id")),
    )
    op.create_index(
        "ix_refund_part_due",
        "refund_part",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_refund_part_payment_part_id", "refund_part", ["payment_part_id"], unique=False)
    op.create_table(
        "subscription_period",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False, comment="exclusive"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rides", sa.Integer(), nullable=True, comment="null for a discount plan"),
        sa.Column("rides_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="due, paid or void"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('due','paid','void')", name=op.f("ck_subscription_period_status_known")),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_subscription_period_ends_after_start")),
        sa.CheckConstraint(
            "rides_used >= 0 AND (rides IS NULL OR rides_used <= rides)",
            name=op.f("ck_subscription_period_rides_within_plan"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_period_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_period")),
        sa.UniqueConstraint(
            "subscription_id", "starts_on", name=op.f("uq_subscription_period_subscription_id_starts_on")
        ),
    )
    op.create_table(
        "subscription_use",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=True, comment="null in a tombstone"),
        sa.Column("rides", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('used','given_back')", name=op.f("ck_subscription_use_status_known")),
        sa.ForeignKeyConstraint(["period_id"], ["subscription_period.id"], name=op.f("fk_subscription_use_period_id")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_subscription_use")),
    )
    # The driver prepares statements one by one, so each goes alone.
    for statement in re.split(r";\n+(?=CREATE )", _GUARDS.strip()):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("subscription_use")
    op.drop_table("subscription_period")
    op.drop_index("ix_refund_part_payment_part_id", table_name="refund_part")
    op.drop_index("ix_refund_part_due", table_name="refund_part", postgresql_where=sa.text("status = 'pending'"))
    op.drop_table("refund_part")
    op.drop_index(
        "uq_subscription_live",
        table_name="subscription",
        postgresql_where=sa.text("status IN ('incomplete','active','past_due','paused')"),
    )
    op.drop_index(
        "ix_subscription_renewal", table_name="subscription", postgresql_where=sa.text("next_renewal_at IS NOT NULL")
    )
    op.drop_table("subscription")
    op.drop_index("ix_refund_user_id", table_name="refund")
    op.drop_index("ix_refund_status_id", table_name="refund")
    op.drop_index("ix_refund_payment_id", table_name="refund")
    op.drop_table("refund")
    op.drop_index("uq_promo_use_slot", table_name="promo_use", postgresql_where=sa.text("user_slot IS NOT NULL"))
    op.drop_index("ix_promo_use_expiring", table_name="promo_use", postgresql_where=sa.text("status = 'reserved'"))
    op.drop_table("promo_use")
    op.drop_index(
        "uq_payment_part_provider_reference",
        table_name="payment_part",
        postgresql_where=sa.text("provider_reference IS NOT NULL"),
    )
    op.drop_table("payment_part")
    op.drop_table("ledger_link")
    op.drop_index("ix_ledger_entry_posting_id", table_name="ledger_entry")
    op.drop_index("ix_ledger_entry_account_id_id", table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("coin_lot_use")
    op.drop_table("subscription_plan")
    op.drop_index(
        "ix_provider_event_pending", table_name="provider_event", postgresql_where=sa.text("status = 'pending'")
    )
    op.drop_table("provider_event")
    op.drop_index(
        "ix_promo_code_special_offer", table_name="promo_code", postgresql_where=sa.text("special_offer AND active")
    )
    op.drop_table("promo_code")
    op.drop_index("uq_payment_succeeded_period", table_name="payment", postgresql_where=sa.text("status = 'succeeded'"))
    op.drop_index("uq_payment_succeeded_charge", table_name="payment", postgresql_where=sa.text("status = 'succeeded'"))
    op.drop_index("ix_payment_user_id_id", table_name="payment")
    op.drop_index(
        "ix_payment_open", table_name="payment", postgresql_where=sa.text("status IN ('processing','requires_action')")
    )
    op.drop_index("ix_payment_created_at", table_name="payment")
    op.drop_index("ix_payment_booking_id", table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_outbox_aggregate_id_position", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("ledger_unsealed")
    op.drop_index("ix_ledger_posting_reference_id", table_name="ledger_posting")
    op.drop_index("ix_ledger_posting_posted_at", table_name="ledger_posting")
    op.drop_table("ledger_posting")
    op.drop_index("ix_ledger_check_finished_at", table_name="ledger_check")
    op.drop_table("ledger_check")
    op.drop_index("uq_ledger_account_system", table_name="ledger_account", postgresql_where=sa.text("owner_id IS NULL"))
    op.drop_index(
        "uq_ledger_account_owner", table_name="ledger_account", postgresql_where=sa.text("owner_id IS NOT NULL")
    )
    op.drop_table("ledger_account")
    op.drop_table("inbox_sequence")
    op.drop_index(op.f("ix_inbox_received_at"), table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index("ix_coin_lot_user_left", table_name="coin_lot", postgresql_where=sa.text("remaining > 0"))
    op.drop_index("ix_coin_lot_expiring", table_name="coin_lot", postgresql_where=sa.text("remaining > 0"))
    op.drop_table("coin_lot")
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS {function} CASCADE")
