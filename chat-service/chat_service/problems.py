"""How this service's domain errors look outside."""

from chat_service.assistant.errors import ActionExpired, ActionNotFound
from chat_service.attachments.errors import (
    AddressInvalid,
    AttachmentNotFound,
    AttachmentNotUploaded,
    AttachmentNotUsable,
    AttachmentRefused,
)
from chat_service.callbacks.errors import (
    CallbackNotFound,
    CallbackPending,
    CallbackStateConflict,
    SlotFull,
    SlotNotOffered,
)
from chat_service.canned.errors import CannedReplyNotFound
from chat_service.conversations.errors import (
    AccountSuspended,
    ClientIdReused,
    ColleagueUnknown,
    ConversationNotFound,
    ConversationTaken,
    MessageRefused,
    NotYours,
)
from chat_service.faq.errors import FaqEntryExists, FaqEntryNotFound
from chat_service.tickets.errors import (
    InvalidSignature,
    MailRefused,
    TicketClosed,
    TicketNotFound,
    TicketStateConflict,
)
from rihla.web import ProblemSpec, ProblemTable

problems = ProblemTable(
    {
        AccountSuspended: ProblemSpec(403, "account-suspended", "The account is suspended"),
        ConversationNotFound: ProblemSpec(404, "conversation-not-found", "There is no such conversation"),
        ConversationTaken: ProblemSpec(409, "conversation-taken", "A colleague has this conversation"),
        NotYours: ProblemSpec(409, "not-yours", "Somebody else has this conversation"),
        ColleagueUnknown: ProblemSpec(409, "colleague-unknown", "Nobody at the desk has this id"),
        MessageRefused: ProblemSpec(422, "message-refused", "The message cannot be sent"),
        ClientIdReused: ProblemSpec(422, "client-id-reused", "The client_id was used for another message"),
        AttachmentNotFound: ProblemSpec(404, "attachment-not-found", "There is no such attachment"),
        AttachmentRefused: ProblemSpec(422, "attachment-refused", "The attachment is not taken"),
        AttachmentNotUploaded: ProblemSpec(409, "attachment-not-uploaded", "The upload has not arrived"),
        AttachmentNotUsable: ProblemSpec(409, "attachment-not-usable", "The attachment cannot be posted"),
        AddressInvalid: ProblemSpec(403, "address-invalid", "The address is not valid"),
        FaqEntryNotFound: ProblemSpec(404, "faq-entry-not-found", "There is no such entry"),
        FaqEntryExists: ProblemSpec(409, "faq-entry-exists", "The entry exists"),
        TicketNotFound: ProblemSpec(404, "ticket-not-found", "There is no such ticket"),
        TicketStateConflict: ProblemSpec(409, "ticket-state-conflict", "The ticket cannot move so"),
        TicketClosed: ProblemSpec(409, "ticket-closed", "The ticket was closed long ago"),
        InvalidSignature: ProblemSpec(400, "invalid-signature", "The message cannot be verified"),
        MailRefused: ProblemSpec(422, "mail-refused", "The mail is not taken"),
        CallbackNotFound: ProblemSpec(404, "callback-not-found", "There is no such request"),
        SlotNotOffered: ProblemSpec(422, "slot-not-offered", "Nobody calls at that time"),
        SlotFull: ProblemSpec(409, "slot-full", "All calls at this time are taken"),
        CallbackPending: ProblemSpec(409, "callback-pending", "You wait for a call already"),
        CallbackStateConflict: ProblemSpec(409, "callback-state-conflict", "The request cannot move so"),
        CannedReplyNotFound: ProblemSpec(404, "canned-reply-not-found", "There is no such reply"),
        ActionNotFound: ProblemSpec(404, "action-not-found", "There is no such button"),
        ActionExpired: ProblemSpec(410, "action-expired", "The button was offered too long ago"),
    }
)
