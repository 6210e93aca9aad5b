"""What the assistant says, in four languages; others get English. Pure."""

from collections.abc import Mapping

_PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "person": "I can bring somebody from support into your conversation. Press the button if you want that.",
        "lost": "I do not know the answer to that. A person can help you.",
        "bookings_away": "I cannot look at your bookings at the moment. Try again shortly, or ask a person.",
        "no_booking": "I found no such booking among yours.",
        "status": "Booking {reference} is {status}.",
        "flight": "{number} {origin}-{destination}, departs {at} local time: {status}.",
        "no_refund": "There is no refund for booking {reference}.",
        "refunds": "Refunds of booking {reference}:",
        "refund": "{amount} {currency}: {status}.",
        "check_in_open": "Check-in of {number} (booking {reference}) is open until {at} local time.",
        "check_in_later": "Check-in of {number} (booking {reference}) opens at {at} local time.",
        "check_in_over": "Check-in of {number} (booking {reference}) has closed; go to the desk at the airport.",
        "check_in_never": "Booking {reference} has no flight to check in for.",
        "talk_to_person": "Talk to a person",
        "open_ticket": "Open a ticket",
        "handed_over": "The traveller asked for a person. Before that:",
    },
    "ar": {
        "person": "يمكنني إحضار موظف من الدعم إلى محادثتك. اضغط الزر إذا أردت ذلك.",
        "lost": "لا أعرف الإجابة عن ذلك. يمكن لأحد موظفينا مساعدتك.",
        "bookings_away": "لا أستطيع الاطلاع على حجوزاتك الآن. حاول بعد قليل أو اسأل موظفًا.",
        "no_booking": "لم أجد مثل هذا الحجز بين حجوزاتك.",
        "status": "حالة الحجز {reference}: {status}.",
        "flight": "{number} {origin}-{destination}، المغادرة {at} بالتوقيت المحلي: {status}.",
        "no_refund": "لا يوجد استرداد للحجز {reference}.",
        "refunds": "المبالغ المستردة للحجز {reference}:",
        "refund": "{amount} {currency}: {status}.",
        "check_in_open": "تسجيل الوصول للرحلة {number} (الحجز {reference}) مفتوح حتى {at} بالتوقيت المحلي.",
        "check_in_later": "يفتح تسجيل الوصول للرحلة {number} (الحجز {reference}) في {at} بالتوقيت المحلي.",
        "check_in_over": "أُغلق تسجيل الوصول للرحلة {number} (الحجز {reference})؛ توجه إلى المكتب في المطار.",
        "check_in_never": "لا توجد رحلة لتسجيل الوصول في الحجز {reference}.",
        "talk_to_person": "التحدث إلى موظف",
        "open_ticket": "فتح تذكرة دعم",
        "handed_over": "طلب المسافر التحدث إلى موظف. قبل ذلك:",
    },
    "bn": {
        "person": "আমি সহায়তা দলের কাউকে আপনার আলাপে আনতে পারি। চাইলে বোতামটি চাপুন।",
        "lost": "এর উত্তর আমার জানা নেই। একজন প্রতিনিধি আপনাকে সাহায্য করতে পারেন।",
        "bookings_away": "এই মুহূর্তে আপনার বুকিং দেখতে পারছি না। একটু পরে চেষ্টা করুন বা প্রতিনিধির সাথে কথা বলুন।",
        "no_booking": "আপনার বুকিংগুলোর মধ্যে এমন কোনো বুকিং পাইনি।",
        "status": "বুকিং {reference}: {status}।",
        "flight": "{number} {origin}-{destination}, ছাড়বে {at} (স্থানীয় সময়): {status}।",
        "no_refund": "বুকিং {reference}-এর কোনো ফেরত নেই।",
        "refunds": "বুকিং {reference}-এর ফেরত:",
        "refund": "{amount} {currency}: {status}।",
        "check_in_open": "{number} (বুকিং {reference})-এর চেক-ইন {at} (স্থানীয় সময়) পর্যন্ত খোলা।",
        "check_in_later": "{number} (বুকিং {reference})-এর চেক-ইন {at} (স্থানীয় সময়)-এ খুলবে।",
        "check_in_over": "{number} (বুকিং {reference})-এর চেক-ইন বন্ধ হয়েছে; বিমানবন্দরের ডেস্কে যান।",
        "check_in_never": "বুকিং {reference}-এ চেক-ইন করার মতো কোনো ফ্লাইট নেই।",
        "talk_to_person": "প্রতিনিধির সাথে কথা বলুন",
        "open_ticket": "টিকিট খুলুন",
        "handed_over": "যাত্রী একজন প্রতিনিধি চেয়েছেন। তার আগে:",
    },
    "ur": {
        "person": "میں سپورٹ کے کسی فرد کو آپ کی گفتگو میں لا سکتا ہوں۔ چاہیں تو بٹن دبائیں۔",
        "lost": "مجھے اس کا جواب معلوم نہیں۔ ہمارا نمائندہ آپ کی مدد کر سکتا ہے۔",
        "bookings_away": "میں اس وقت آپ کی بکنگ نہیں دیکھ سکتا۔ تھوڑی دیر بعد کوشش کریں یا نمائندے سے پوچھیں۔",
        "no_booking": "آپ کی بکنگز میں ایسی کوئی بکنگ نہیں ملی۔",
        "status": "بکنگ {reference}: {status}۔",
        "flight": "{number} {origin}-{destination}، روانگی {at} مقامی وقت: {status}۔",
        "no_refund": "بکنگ {reference} کی کوئی رقم واپس نہیں ہونی۔",
        "refunds": "بکنگ {reference} کی واپسی:",
        "refund": "{amount} {currency}: {status}۔",
        "check_in_open": "{number} (بکنگ {reference}) کا چیک اِن {at} مقامی وقت تک کھلا ہے۔",
        "check_in_later": "{number} (بکنگ {reference}) کا چیک اِن {at} مقامی وقت پر کھلے گا۔",
        "check_in_over": "{number} (بکنگ {reference}) کا چیک اِن بند ہو چکا؛ ہوائی اڈے کے کاؤنٹر پر جائیں۔",
        "check_in_never": "بکنگ {reference} میں چیک اِن کے لیے کوئی پرواز نہیں۔",
        "talk_to_person": "نمائندے سے بات کریں",
        "open_ticket": "ٹکٹ کھولیں",
        "handed_over": "مسافر نے نمائندہ مانگا۔ اس سے پہلے:",
    },
}
LANGUAGES = tuple(_PHRASES)


def answer_language(language: str) -> str:
    """The language we answer in: the one asked for where we have it, else English."""
    plain = language.replace("_", "-").split("-", 1)[0].lower()
    return plain if plain in _PHRASES else "en"


def phrase(name: str, language: str, **values: str) -> str:
    """One sentence with its values."""
    return _PHRASES[answer_language(language)][name].format(**values)


def phrase_names(language: str) -> set[str]:
    """Which sentences a language has."""
    return set(_PHRASES[language])
