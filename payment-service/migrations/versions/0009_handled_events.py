"""handled events of providers keep nothing of a person: what they said of cards is in the payment, and erased there"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEPT = "never a card number, and once it is handled nothing of a person"


def upgrade() -> None:
    op.execute(
        "UPDATE provider_event SET facts = jsonb_set(facts, '{outcome}', "
        "(facts->'outcome') - ARRAY['card_brand', 'card_last4', 'action_url']) "
        "WHERE status <> 'pending' AND facts->'outcome' ?| ARRAY['card_brand', 'card_last4', 'action_url']"
    )
    op.alter_column("provider_event", "facts", comment=f"the signed fields we use; {_KEPT}")


def downgrade() -> None:
    op.alter_column("provider_event", "facts", comment="the signed fields we use; never card data")
