"""The confirmation page a person sees for card 4000000000003220."""

from html import escape

from rihla.kernel import Money
from sandbox_provider.schemas import PaymentOut

_STYLE = (
    "body{font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.6rem 1.2rem;margin-right:.6rem}"
)


def confirmation_page(payment: PaymentOut, token: str) -> str:
    """Approve or refuse; once answered, what was answered."""
    amount = escape(str(Money(payment.amount_minor, payment.currency)))
    if payment.status == "requires_action":
        body = (
            f"<p>Card ending in {escape(payment.last4 or '')}: approve <strong>{amount}</strong>?</p>"
            f'<form method="post"><input type="hidden" name="token" value="{escape(token)}">'
            '<button name="answer" value="approve">Approve</button>'
            '<button name="answer" value="refuse">Refuse</button></form>'
        )
    else:
        body = f"<p>Payment of <strong>{amount}</strong>: {escape(payment.status)}. You may close this page.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Sandbox bank</title><style>{_STYLE}</style><h1>Sandbox bank</h1>{body}</html>"
    )
