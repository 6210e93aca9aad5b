"""Every domain error of this service and how it looks outside."""

from payment_service.ledger.errors import InsufficientFunds, LedgerAccountUnknown, WalletFrozen
from payment_service.payments.errors import (
    BookingNotFound,
    ChargeNotDue,
    MethodNotAccepted,
    PaymentNotFound,
    PaymentWindowClosed,
    TillBusy,
)
from payment_service.promos.errors import (
    PromoCodeExists,
    PromoCodeNotApplicable,
    PromoCodeNotFound,
    PromoCodeUsedUp,
)
from payment_service.providers.interface import InvalidSignature, ProviderNotAvailable
from payment_service.receipts.errors import ReceiptNotReady
from payment_service.refunds.errors import (
    RefundContentDiffers,
    RefundExceedsCaptured,
    RefundNotFailed,
    RefundNotFound,
)
from payment_service.saved_methods.errors import SavedMethodLimit, SavedMethodNotFound
from payment_service.subscriptions.errors import (
    PlanNotFound,
    RidesNotInPlan,
    SeatPlanNotPossible,
    SeatPlanRefused,
    SubscriptionExists,
    SubscriptionNotActive,
    SubscriptionNotFound,
    SubscriptionRidesUsedUp,
    SubscriptionRouteNotCovered,
    SubscriptionStateConflict,
    SubscriptionUseDiffers,
    SubscriptionUseUnknown,
)
from payment_service.wallet.errors import TopUpLimit
from rihla.web import ProblemSpec, ProblemTable

PROBLEMS = ProblemTable(
    {
        BookingNotFound: ProblemSpec(404, "booking-not-found", "No such booking"),
        ChargeNotDue: ProblemSpec(409, "charge-not-due", "Nothing is due"),
        PaymentWindowClosed: ProblemSpec(409, "payment-window-closed", "The time to pay is over"),
        ReceiptNotReady: ProblemSpec(409, "receipt-not-ready", "Nothing was paid yet"),
        TillBusy: ProblemSpec(503, "till-busy", "Too many payments at this moment"),
        PaymentNotFound: ProblemSpec(404, "payment-not-found", "No such payment"),
        MethodNotAccepted: ProblemSpec(422, "method-not-accepted", "This way of paying does not fit the charge"),
        ProviderNotAvailable: ProblemSpec(409, "provider-not-available", "This way of paying is not available"),
        InvalidSignature: ProblemSpec(400, "invalid-signature", "The webhook cannot be verified"),
        InsufficientFunds: ProblemSpec(409, "insufficient-funds", "The balance does not cover this"),
        WalletFrozen: ProblemSpec(409, "wallet-frozen", "The wallet is frozen"),
        LedgerAccountUnknown: ProblemSpec(404, "account-not-found", "No such account"),
        TopUpLimit: ProblemSpec(409, "top-up-limit", "The wallet may not hold this much"),
        RefundExceedsCaptured: ProblemSpec(409, "refund-exceeds-captured", "More than can be refunded"),
        RefundContentDiffers: ProblemSpec(422, "refund-content-differs", "The refund id was used for another refund"),
        RefundNotFound: ProblemSpec(404, "refund-not-found", "No such refund"),
        RefundNotFailed: ProblemSpec(409, "refund-not-failed", "The refund has not failed"),
        PromoCodeNotFound: ProblemSpec(404, "promo-code-not-found", "No such promo code"),
        PromoCodeExists: ProblemSpec(409, "promo-code-exists", "The promo code exists already"),
        PromoCodeNotApplicable: ProblemSpec(409, "promo-code-not-applicable", "The promo code does not apply"),
        PromoCodeUsedUp: ProblemSpec(409, "promo-code-used-up", "The promo code is used up"),
        SavedMethodNotFound: ProblemSpec(404, "payment-method-not-found", "No such payment method"),
        SavedMethodLimit: ProblemSpec(409, "payment-method-limit", "No more payment methods can be saved"),
        PlanNotFound: ProblemSpec(404, "plan-not-found", "No such plan"),
        SubscriptionNotFound: ProblemSpec(404, "subscription-not-found", "No such subscription"),
        SubscriptionExists: ProblemSpec(409, "subscription-exists", "There is a subscription to this plan already"),
        SeatPlanNotPossible: ProblemSpec(409, "seat-plan-not-possible", "Not all of these rides can be had"),
        RidesNotInPlan: ProblemSpec(422, "rides-not-in-plan", "The plan does not carry these rides"),
        SeatPlanRefused: ProblemSpec(422, "seat-plan-refused", "Nobody can be booked like this"),
        SubscriptionNotActive: ProblemSpec(409, "subscription-not-active", "The plan is not active"),
        SubscriptionRouteNotCovered: ProblemSpec(
            409, "subscription-route-not-covered", "The plan does not cover this route"
        ),
        SubscriptionRidesUsedUp: ProblemSpec(409, "subscription-rides-used-up", "The rides are used up"),
        SubscriptionUseDiffers: ProblemSpec(422, "subscription-use-differs", "The rides were taken for other content"),
        SubscriptionUseUnknown: ProblemSpec(404, "subscription-use-unknown", "No rides were taken for this booking"),
        SubscriptionStateConflict: ProblemSpec(409, "subscription-state", "The subscription does not allow this now"),
    }
)
