"""One rule says which language a text is in, and one where its sentences end."""

from __future__ import annotations

import pytest

from rag_core.reading.language import NAMED, language_of, name_of, sentences, stripped


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("预算收入增长多少？", "zh"),
        ("GDP 增长", "zh"),
        ("国" * 20 + "a" * 80, "zh"),
        ("国" * 19 + "a" * 81 + "12345。，", "en"),
        ("How much did revenue grow?", "en"),
        ("What does 增长 mean here?", "en"),
        ("The company was renamed 北辰 Holdings in 2019.", "en"),
        ("2024", "en"),
        ("", "en"),
    ],
)
def test_a_text_is_chinese_from_one_letter_in_five(text, language):
    assert language_of(text) == language


def test_several_texts_count_as_one():
    assert language_of("国" * 20, "a" * 80) == "zh" and language_of("国" * 19, "a" * 81) == "en"


NAMES = {
    "ja": "水道会社は昨年、漏水によって供給量の十九パーセントを失った。",
    "ko": "수도 회사는 지난해 누수로 공급량의 십구 퍼센트를 잃었다.",
    "ru": "Водоканал потерял в засушливый год девятнадцать процентов воды из-за утечек.",
    "uk": "Дохід зріс на вісім відсотків. Новий міст відкриють улітку, його довжина 3,2 кілометра.",
    "bg": "Водното дружество загуби през сухата година деветнадесет процента от водата си заради течове.",
    "sr": "Водовод је изгубио деветнаест одсто воде. Њихов извештај љубазно је објављен.",
    "ar": "خسرت شركة المياه تسعة عشر بالمئة من إمداداتها بسبب التسرب خلال السنة الجافة.",
    "fa": "شرکت آب در سال خشک نوزده درصد از آب خود را به علت نشتی از دست داد. گزارش پایانی چاپ شد.",
    "ur": "پانی کی کمپنی نے خشک سال میں رساؤ کی وجہ سے اپنی فراہمی کا انیس فیصد کھو دیا۔",
    "he": "חברת המים איבדה תשעה עשר אחוזים מהאספקה בגלל דליפות בשנה היבשה.",
    "el": "Η εταιρεία ύδρευσης έχασε το δεκαεννέα τοις εκατό του νερού από διαρροές.",
    "hi": "जल कंपनी ने सूखे वर्ष में रिसाव के कारण अपनी आपूर्ति का उन्नीस प्रतिशत खो दिया।",
    "th": "บริษัทน้ำสูญเสียน้ำสิบเก้าเปอร์เซ็นต์จากการรั่วไหลในปีที่แห้งแล้ง",
    "ta": "நீர் நிறுவனம் வறண்ட ஆண்டில் கசிவால் பத்தொன்பது சதவீதத்தை இழந்தது.",
    "ka": "წყლის კომპანიამ მშრალ წელს წყლის ცხრამეტი პროცენტი დაკარგა.",
    "de": "Der Umsatz stieg um acht Prozent. Die neue Brücke wird im Sommer eröffnet und ist 3,2 Kilometer lang.",
    "fr": "Le chiffre d'affaires a augmenté de huit pour cent. Le nouveau pont sera ouvert en été.",
    "es": "Los ingresos crecieron un ocho por ciento. El nuevo puente se abrirá en verano.",
    "pt": "A companhia de águas perdeu dezanove por cento em fugas durante o ano, mais do que o regulador permite.",
    "it": "I ricavi sono cresciuti dell'otto per cento. Il nuovo ponte sarà aperto in estate ed è molto lungo.",
    "nl": "De omzet steeg met acht procent. De nieuwe brug wordt in de zomer geopend en is 3,2 kilometer lang.",
    "pl": "Przychody wzrosły o osiem procent. Nowy most zostanie otwarty latem i ma 3,2 kilometra długości.",
    "cs": "Tržby vzrostly o osm procent. Nový most bude otevřen v létě a je 3,2 kilometru dlouhý.",
    "hu": "A bevétel nyolc százalékkal nőtt. Az új híd nyáron nyílik meg, és 3,2 kilométer hosszú.",
    "tr": "Su şirketi kurak yılda suyunun yüzde on dokuzunu sızıntılar nedeniyle kaybetti.",
    "vi": "Công ty cấp nước đã mất mười chín phần trăm lượng nước do rò rỉ trong năm khô hạn.",
    "id": "Perusahaan air kehilangan sembilan belas persen pasokannya karena kebocoran pada tahun kering.",
    "ro": "Veniturile au crescut cu opt la sută. Noul pod va fi deschis vara și are o lungime de 3,2 kilometri.",
    "sv": "Intäkterna ökade med åtta procent. Den nya bron öppnas i sommar och är 3,2 kilometer lång.",
    "fi": "Liikevaihto kasvoi kahdeksan prosenttia. Uusi silta avataan kesällä, ja se on 3,2 kilometriä pitkä.",
    "zh": "自來水公司在乾旱年因漏損失去百分之十九的供水，超過監管機構允許的水平。",
    "en": "The water company lost nineteen percent of its supply to leaks during the dry year.",
}


@pytest.mark.parametrize("language", NAMES)
def test_a_language_is_named_by_its_script_its_words_and_its_letters(language):
    assert name_of(NAMES[language]) == language
    assert language in NAMED


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("2024: 1,204 3,811", "en"),
        ("HTTP, TCP, SSL, DNS, SMTP, VPN, SQL, XML, PDF, CSV", "en"),
        ("for i in range(len(xs)): ctx = mk_ctx(fd, buf); de.la(ctx)", "en"),
        ("The visit of Łukasz Piszczek and the mayor of Łódź was the talk of the town for a week and more.", "en"),
        ("The word 수도 means capital in Korean, and the word for water is another one altogether.", "en"),
        ("“カラオケ”一词来自日语，原意是没有人声的伴奏，现在在中国各地都很常见。", "zh"),
        ("ⴰⵎⴰⵏ ⵏ ⵜⵎⴷⵉⵏⵜ", "other"),
    ],
)
def test_what_stands_in_a_text_does_not_name_its_language(text, language):
    assert name_of(text) == language


def test_a_point_that_shortens_a_word_ends_no_sentence():
    text = "Revenue rose 8.2% vs. 2019, as Prof. Smith of St. Mary's found. It was the best year since 1990."
    assert [text[start:end] for start, end in sentences(text)] == [text[:63], text[64:]]


def test_white_space_at_the_ends_is_not_part_of_a_span():
    assert stripped("  a b \n", 0, 7) == (2, 5)
    start, end = stripped("a   b", 1, 4)
    assert start >= end
