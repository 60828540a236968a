"""What a voice says to be heard: a greeting on the telephone, in its own language."""

from __future__ import annotations

_ENGLISH = "Hello, thank you for calling. How can I help you today?"
_GREETINGS = {
    "en": _ENGLISH,
    "en-gb": "Good morning, thank you for calling. How may I help you?",
    "en-au": "Hi there, thanks for calling. What can I do for you today?",
    "hi": "नमस्ते, कॉल करने के लिए धन्यवाद। मैं आपकी क्या मदद कर सकती हूँ?",
    "hi-male": "नमस्ते, कॉल करने के लिए धन्यवाद। मैं आपकी क्या मदद कर सकता हूँ?",
    "ta": "வணக்கம், அழைத்ததற்கு நன்றி. நான் உங்களுக்கு எப்படி உதவலாம்?",
    "te": "నమస్కారం, కాల్ చేసినందుకు ధన్యవాదాలు. నేను మీకు ఎలా సహాయం చేయగలను?",
    "ml": "നമസ്കാരം, വിളിച്ചതിന് നന്ദി. ഞാൻ നിങ്ങളെ എങ്ങനെ സഹായിക്കണം?",
    "bn": "নমস্কার, ফোন করার জন্য ধন্যবাদ। আমি আপনাকে কীভাবে সাহায্য করতে পারি?",
    "ur": "السلام علیکم، کال کرنے کا شکریہ۔ میں آپ کی کیا مدد کر سکتی ہوں؟",  # noqa: RUF001
    "ur-male": "السلام علیکم، کال کرنے کا شکریہ۔ میں آپ کی کیا مدد کر سکتا ہوں؟",  # noqa: RUF001
    "kn": "ನಮಸ್ಕಾರ, ಕರೆ ಮಾಡಿದ್ದಕ್ಕೆ ಧನ್ಯವಾದಗಳು. ನಾನು ನಿಮಗೆ ಹೇಗೆ ಸಹಾಯ ಮಾಡಬಹುದು?",
    "mr": "नमस्कार, फोन केल्याबद्दल धन्यवाद. मी आपली काय मदत करू शकते?",
    "mr-male": "नमस्कार, फोन केल्याबद्दल धन्यवाद. मी आपली काय मदत करू शकतो?",
    "gu": "નમસ્તે, ફોન કરવા બદલ આભાર. હું તમને કેવી રીતે મદદ કરી શકું?",
    "pa": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਫ਼ੋਨ ਕਰਨ ਲਈ ਧੰਨਵਾਦ। ਮੈਂ ਤੁਹਾਡੀ ਕੀ ਮਦਦ ਕਰ ਸਕਦੀ ਹਾਂ?",
    "pa-male": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਫ਼ੋਨ ਕਰਨ ਲਈ ਧੰਨਵਾਦ। ਮੈਂ ਤੁਹਾਡੀ ਕੀ ਮਦਦ ਕਰ ਸਕਦਾ ਹਾਂ?",
    "de": "Guten Tag und danke für Ihren Anruf. Wie kann ich Ihnen helfen?",
    "fr": "Bonjour et merci de votre appel. Comment puis-je vous aider ?",
    "es": "Hola, gracias por llamar. ¿En qué puedo ayudarle?",
    "es-mx": "Buen día, gracias por llamar. ¿En qué le puedo ayudar?",
    "it": "Buongiorno e grazie per aver chiamato. Come posso aiutarla?",
    "pt": "Olá, obrigada por ligar. Como posso ajudar?",
    "pt-male": "Olá, obrigado por ligar. Como posso ajudar?",
    "pt-pt": "Bom dia, obrigada pela sua chamada. Em que posso ser útil?",
    "pt-pt-male": "Bom dia, obrigado pela sua chamada. Em que posso ser útil?",
    "nl": "Goedendag, bedankt voor het bellen. Waarmee kan ik u helpen?",
    "pl": "Dzień dobry, dziękujemy za telefon. W czym mogę pomóc?",
    "ru": "Здравствуйте, спасибо за звонок. Чем я могу вам помочь?",
    "ja": "お電話ありがとうございます。ご用件をお伺いいたします。",
    "ko": "안녕하세요, 전화해 주셔서 감사합니다. 무엇을 도와드릴까요?",
    "zh": "您好，感谢您的来电。请问有什么可以帮您？",  # noqa: RUF001 (as Chinese is written)
}


def greeting(language: str, gender: str = "") -> str:
    """Of the region if it has one of its own, of the gender where the language tells them apart."""
    region = language.lower()
    names = (region, region.split("-")[0])
    wanted = (f"{name}-{gender}" if suffix else name for name in names for suffix in (True, False))
    return next((_GREETINGS[name] for name in wanted if name in _GREETINGS), _ENGLISH)
