"""The FAQ of a new installation: (slug, category, featured, {language: (question, answer)})."""

from collections.abc import Sequence
from typing import NamedTuple


class SeedEntry(NamedTuple):
    """One question in the languages we have it in."""

    slug: str
    category: str
    featured: bool
    texts: dict[str, tuple[str, str]]


SEED: Sequence[SeedEntry] = (
    SeedEntry(
        "checked-baggage",
        "baggage",
        True,
        {
            "en": (
                "How much checked baggage may I take?",
                "Your ticket and your booking show the kilograms for each flight. You can add bags to a confirmed"
                " booking"
                " under Extras.",
            ),
            "ar": (
                "كم يمكنني أن آخذ من الأمتعة المسجلة؟",
                "تجد الوزن المسموح لكل رحلة في تذكرتك وحجزك. يمكنك إضافة حقائب إلى حجز مؤكد.",
            ),
            "bn": (
                "আমি কত কেজি ব্যাগেজ নিতে পারি?",
                "প্রতিটি ফ্লাইটের ওজনসীমা আপনার টিকিট ও বুকিংয়ে লেখা আছে। নিশ্চিত বুকিংয়ে পরে ব্যাগ যোগ করা যায়।",
            ),
            "ur": (
                "میں کتنا سامان لے جا سکتا ہوں؟",
                "ہر پرواز کے لیے وزن آپ کے ٹکٹ اور بکنگ پر لکھا ہے۔ تصدیق شدہ بکنگ میں بیگ شامل کیے جا سکتے ہیں۔",
            ),
        },
    ),
    SeedEntry(
        "lost-baggage",
        "baggage",
        False,
        {
            "en": (
                "My baggage is lost or damaged. What should I do?",
                "Report it at the baggage desk before you leave the airport and keep the report number. Then open"
                " a ticket"
                " here with that number and a picture.",
            ),
        },
    ),
    SeedEntry(
        "check-in-times",
        "check-in",
        True,
        {
            "en": (
                "When does online check-in open and close?",
                "Online check-in opens 48 hours before departure and closes 60 minutes before departure.",
            ),
            "ar": (
                "متى يفتح تسجيل الوصول عبر الإنترنت ومتى يغلق؟",
                "يفتح قبل المغادرة بثمان وأربعين ساعة ويغلق قبلها بستين دقيقة.",
            ),
            "bn": ("অনলাইন চেক-ইন কখন খোলে ও বন্ধ হয়?", "ফ্লাইট ছাড়ার ৪৮ ঘণ্টা আগে খোলে এবং ৬০ মিনিট আগে বন্ধ হয়।"),
            "ur": (
                "آن لائن چیک اِن کب کھلتا اور بند ہوتا ہے؟",
                "روانگی سے 48 گھنٹے پہلے کھلتا ہے اور 60 منٹ پہلے بند ہو جاتا ہے۔",
            ),
        },
    ),
    SeedEntry(
        "passport-data",
        "check-in",
        False,
        {
            "en": (
                "Why is my passport needed for check-in?",
                "Airlines must hold passport data for international flights. Add it to each passenger of your booking;"
                " without it international check-in is refused.",
            ),
        },
    ),
    SeedEntry(
        "cancel-refund",
        "refunds",
        True,
        {
            "en": (
                "How do I cancel a booking and what money do I get back?",
                "Open the booking and choose Cancel: you see the exact refund and fee before you decide. Money"
                " goes back the"
                " way it came.",
            ),
            "ar": (
                "كيف ألغي الحجز وكم يُعاد إلي؟",
                "افتح الحجز واختر الإلغاء: ترى المبلغ والرسوم بدقة قبل أن تقرر. يعود المال بالطريقة التي دُفع بها.",
            ),
            "bn": (
                "কীভাবে বুকিং বাতিল করব ও কত টাকা ফেরত পাব?",
                "বুকিং খুলে বাতিল বেছে নিন: সিদ্ধান্তের আগে ফেরত ও ফি দেখতে পাবেন। যেভাবে দিয়েছেন টাকা সেভাবেই ফেরে।",
            ),
            "ur": (
                "بکنگ کیسے منسوخ کروں اور کتنی رقم واپس ملے گی؟",
                "بکنگ کھول کر منسوخی چنیں: فیصلے سے پہلے واپسی اور فیس نظر آتی ہے۔ رقم اسی طریقے سے واپس جاتی ہے۔",
            ),
        },
    ),
    SeedEntry(
        "change-flight",
        "bookings",
        False,
        {
            "en": (
                "Can I change my flight to another date?",
                "If your fare is changeable, open the booking and choose Change: you see the fare difference and"
                " the fee first.",
            ),
        },
    ),
    SeedEntry(
        "choose-seat",
        "bookings",
        False,
        {
            "en": (
                "How do I choose or change my seat?",
                "Choose seats while booking or later in your booking under Seats. Some fares include the choice,"
                " others charge"
                " for it.",
            ),
        },
    ),
    SeedEntry(
        "name-correction",
        "bookings",
        False,
        {
            "en": (
                "I misspelled a passenger's name. Can it be corrected?",
                "Small corrections are free in your booking under Passengers. For another name open a ticket.",
            ),
        },
    ),
    SeedEntry(
        "payment-declined",
        "payments",
        True,
        {
            "en": (
                "My payment was declined. Is my seat gone?",
                "Your seats stay held until the payment deadline shown in the booking. Try again or use another card.",
            ),
        },
    ),
    SeedEntry(
        "flight-delayed",
        "travel",
        False,
        {
            "en": (
                "My flight is delayed or cancelled. What are my rights?",
                "When the airline moves or cancels your flight you may take another flight or get everything back,"
                " whatever"
                " the fare. Your booking shows the choices.",
            ),
        },
    ),
    SeedEntry(
        "infant-travel",
        "travel",
        False,
        {
            "en": (
                "Can I travel with an infant on my lap?",
                "Yes: each adult may take one child under two years on the lap for a tenth of the fare.",
            ),
        },
    ),
    SeedEntry(
        "delete-account",
        "account",
        False,
        {
            "en": (
                "How do I delete my account?",
                "Ask for it in your profile. Personal data is erased in every part of Rihla; what the law makes us"
                " keep is"
                " kept without your name where possible.",
            ),
        },
    ),
)
