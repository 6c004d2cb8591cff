"""Garbage of every kind is told from writing, and what is no running text is not taken for garbage."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable

import pytest

from rag_core.reading import frequencies, garbage
from rag_core.reading.quality import assess

TRAM = (
    "The tram to the harbour opened in spring and now carries forty thousand people a day. Its second line was "
    "paid for by the region, and the work on it should be finished before the winter, a year later than the "
    "council had planned."
)
LETTER = (
    "Dear tenants, the lift in the north wing will stand still for three weeks while its motor is exchanged. "
    "Please use the stairs or the lift of the south wing, and tell the office early when you expect large "
    "deliveries."
)
SCHOOL = (
    "Twelve schools took part in the trial. Pupils who had read aloud every morning made fewer mistakes at the "
    "end of the term than the others, but the difference was small and had vanished again by the following "
    "summer."
)
ENGLISH = (TRAM, LETTER, SCHOOL)

METRO = (
    "地铁二号线今年春天开通，每天运送乘客四十万人次。线路的第二段由省里出资，原计划去"
    "年完工，因为施工难度大，现在预计在冬天以前通车，比市政府的计划晚了一年。"
)
NOTICE = (
    "各位住户：北楼的电梯要更换电动机，从下星期一起停用三个星期。请大家走楼梯，或者使"
    "用南楼的电梯；需要搬运大件物品的，请提前到物业办公室登记，工作人员会帮助安排时间。"
)
READERS = (
    "參加試驗的學校一共有十二所。每天早上朗讀課文的學生，到學期結束的時候，錯誤比其他"
    "學生少一些，不過兩者的差別並不大，到了第二年夏天就看不出來了，老師們認為還需要繼續觀察。"
)
CHINESE = (METRO, NOTICE, READERS)


def moved(text: str, by: int, share: float = 1.0) -> str:
    """Give every letter and mark, or a share of them, the code that lies so far on: a font's map is shifted."""
    chance = random.Random(by)
    return "".join(chr(ord(sign) + by) if sign.strip() and chance.random() < share else sign for sign in text)


def han_moved(text: str, by: int, share: float = 1.0) -> str:
    """Move the Han characters alone, as where the marks stand in another font."""
    chance = random.Random(by)
    return "".join(chr(ord(sign) + by) if sign >= "一" and chance.random() < share else sign for sign in text)


def turned(text: str, by: int) -> str:
    small, large = string.ascii_lowercase, string.ascii_uppercase
    return text.translate(str.maketrans(small + large, small[by:] + small[:by] + large[by:] + large[:by]))


def swapped(text: str, letters: str) -> str:
    """Exchange the letters among one another: a font's map is in another order."""
    others = list(letters)
    random.Random(len(letters)).shuffle(others)
    return text.translate(str.maketrans(letters, "".join(others)))


def by_words(text: str, change: Callable[[str], str]) -> str:
    return " ".join(change(word) if number % 2 else word for number, word in enumerate(text.split()))


def in_gb_order(text: str, by: int) -> str:
    """Move the Han characters along the order of GB 2312, which puts the common ones first."""
    table = [bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF)]
    place = {character: number for number, character in enumerate(table) if character}
    return "".join(table[(place[sign] + by) % 3755] if sign in place else sign for sign in text)


def questioned(text: str, share: float = 1.0, mark: str = "?") -> str:
    chance = random.Random(1)
    words = "".join(sign if sign.isalpha() else f" {sign} " for sign in text).split(" ")
    return "".join(mark * len(word) if word.isalpha() and chance.random() < share else word or " " for word in words)


def spelled(text: str, between: str = " ") -> str:
    return between.join("".join(text.split()))


SHIFTED = [
    *(moved(text, by) for text, by in zip(ENGLISH * 2, (1, -1, 2, 3, 4, -2), strict=True)),
    *(turned(text, by) for text, by in zip(ENGLISH * 2, (1, 7, 13, 20, 23, 25), strict=True)),
    turned(TRAM.upper(), 3),
    "".join(turned(LETTER.upper(), 3).split()),
]
MIXED = [
    *(swapped(text, string.ascii_lowercase) for text in ENGLISH),
    *(swapped(text, "abcdefghijklm") for text in ENGLISH),
    *(by_words(text, lambda word: turned(word, 1)) for text in ENGLISH),
    *(text[::-1] for text in ENGLISH),
]
SHIFTED_HAN = [han_moved(text, by) for text, by in zip(CHINESE * 2, (1, -1, 37, -29, 200, 3), strict=True)]
HALF_HAN = [
    *(han_moved(text, by, 0.5) for text, by in zip(CHINESE * 2, (1, 37, -3, 5, 64, -100), strict=True)),
    *(han_moved(text, 37, 0.35) for text in CHINESE),
]
IN_GB_ORDER = [in_gb_order(text * 2, by) for text, by in ((METRO, 1), (NOTICE, -1), (METRO, 5), (NOTICE, 94))]
QUESTIONED = [
    *(questioned(text) for text in (*ENGLISH, *CHINESE)),
    *(questioned(text, 0.4) for text in ENGLISH),
    questioned(METRO, mark="？"),
    questioned(TRAM, mark="¿"),
]
SPELLED = [
    *(spelled(text) for text in ENGLISH),
    *(spelled(text, "\n") for text in ENGLISH),
    spelled(TRAM.upper()),
    spelled("In 2024, 4 of 5 letters were answered within the week; those from abroad took 11 days."),
]
OTHER_BYTES = [
    "Ïðèâåò, êàê äåëà? Êîìïàíèÿ ïîòåðÿëà äåâÿòíàäöàòü ïðîöåíòîâ âîäû",
    NOTICE.encode("gb18030").decode("latin-1"),
    READERS.encode("big5").decode("latin-1"),
]

KINDS = {
    "shifted": SHIFTED,
    "mixed": MIXED,
    "shifted_han": SHIFTED_HAN,
    "half_han": HALF_HAN,
    "in_gb_order": IN_GB_ORDER,
    "questioned": QUESTIONED,
    "spelled": SPELLED,
    "other_bytes": OTHER_BYTES,
}


@pytest.mark.parametrize("kind", KINDS)
def test_garbage_is_never_good(kind):
    taken_for_good = [text for text in KINDS[kind] if assess(text).verdict == "good"]
    assert taken_for_good == []


def test_what_was_garbled_here_is_good_as_it_was_written():
    assert [text for text in (*ENGLISH, *CHINESE) if assess(text).verdict != "good"] == []


def test_a_garbled_paragraph_is_found_among_good_ones():
    page = "\n".join((TRAM, LETTER, turned(SCHOOL, 1), TRAM, LETTER))
    assert (assess(page).verdict, assess(page).reasons) == ("doubtful", ("uncommon",))
    assert assess("\n".join((METRO, NOTICE, han_moved(METRO, 37), NOTICE))).reasons == ("uncommon",)


def test_a_page_that_is_garbled_whole_is_unreadable():
    assert {assess(text).verdict for text in SHIFTED_HAN} == {"unreadable"}
    assert assess(turned(TRAM, 1)).verdict == "unreadable"


NO_GARBAGE = {
    "acronyms": (
        "HTTP, TCP, SSL, DNS, SMTP, VPN, SQL, XML, PDF, CSV, HTML, CSS, GPU, CPU, RAM, SSD, NVMe, PCB, gRPC, JWT, RBAC"
    ),
    "agencies": (
        "NATO UNESCO UNICEF WHO IMF WTO OECD OPEC NASA FBI CIA NSA DHS FEMA EPA FDA CDC NIH NSF DARPA NIST OSHA HUD"
    ),
    "tickers": (
        "AAPL MSFT GOOG AMZN NVDA TSLA META BRK JPM JNJ XOM UNH PG HD CVX MRK ABBV KO PEP LLY BAC PFE COST TMO WMT"
    ),
    "genes": (
        "BRCA1 TP53 EGFR KRAS BRAF PTEN MYC HER2 ALK ROS1 MET RET NTRK1 CDKN2A RB1 SMAD4 APC VHL MLH1 MSH2 ATM CHEK2"
    ),
    "polish names": (
        "Krzysztof Szczepański, Agnieszka Wiśniewska, Grzegorz Brzęczyszczykiewicz, Zbigniew Wojciechowski"
    ),
    "chinese names": (
        "Zhang Wei, Wang Xiuying, Li Qiang, Zhao Xuefeng, Huang Jingyi, Xu Zhiqiang, Sun Xiaomei, Zhu Ying"
    ),
    "indian names": (
        "Venkataraman Krishnamurthy, Subrahmanyam Lakshminarayanan, Padmanabhan Chandrasekhar, Mukhopadhyay"
    ),
    "formulas": (
        "f(x) = ax² + bx + c; ∑ᵢ (xᵢ − μ)² ≤ ∫₀^∞ e^(−kt) dt; ∂u/∂t = α∇²u; ∀ε>0 ∃δ>0: |x−y|<δ ⇒ "
        "|f(x)−f(y)|<ε; det(A−λI)=0"
    ),
    "latex": (
        "\\frac{\\partial u}{\\partial t} = \\alpha \\nabla^2 u \\quad \\sum_{i=1}^{n} x_i \\leq \\sqrt{n} \\lVert x "
        "\\rVert_2"
    ),
    "python": (
        "def mk_ctx(fd, buf, sz):\n    try:\n        raw = pdf.extract(data, pwd)\n    except OSError as "
        "err:\n        log.warn(err)"
    ),
    "c": (
        "static int xfs_lshift(struct xfs_cur *cur, int lvl) { memcpy(dst, src, nbytes); fprintf(stderr, "
        '"%s", strerror(errno)); }'
    ),
    "names in code": "调用 ProdProcessGuideStartProductionOrderStep 和 AzMarketplacePrivateStoreOffer。",
    "assembly": (
        "push rbp\nmov rbp, rsp\nsub rsp, 16\nmov eax, ebx\nxor ecx, ecx\njmp loop\ncmp eax, 10\njne end\nmovzx edx, "
        "al\ncmovne eax"
    ),
    "json": (
        '{"id": "a8f5f167f44f4964e6c998dee827110c", "lvl": "warn", "src": "10.0.0.12:5432", "ctx": {"rtt_ms": 12.5}}'
    ),
    "key": (
        "MIIDXTCCAkWgAwIBAgIJALmVVuDWu4NYMA0GCSqGSIb3DQEBCwUAMEUxCzAJBgNVBAYTAkFVMRMwEQYDVQQIDApTb21lLVN0YXRlMSEwHwYDVQ"
    ),
    "part numbers": (
        "XJ-4512-BK QRT-88-ZL MNB-2210 WX-77-KLP ZZT-9001-QW HGF-3345-TR PLK-1200-XX BVC-5567-NM RTY-0098-GH"
    ),
    "drugs": (
        "adalimumab etanercept rituximab trastuzumab pembrolizumab nivolumab ipilimumab bevacizumab "
        "ustekinumab apixaban"
    ),
    "species": (
        "Xylocopa violacea, Zygophyllum fabago, Quercus robur, Fagus sylvatica, Balaenoptera musculus, "
        "Crocodylus niloticus"
    ),
    "abbreviations": (
        "mtg w/ mgmt re: Q3 fcst; rev dn vs bdgt b/c cust churn, mktg spnd; cfm ETA w/ whse & shpg dept, "
        "acct mgr, mfg qlty"
    ),
    "grades": "A B C D E F\nB B A C D A\nC A A B F E\nA D C B A B\nF E D C B A\nA A B C C D",
    "sums": "3 + 4 = ?\n5 + 8 = ?\n12 − 7 = ?\n6 × 9 = ?\n81 ÷ 9 = ?\n13 + 29 = ?",
    "questions": (
        "How do I pay? Why was my card refused? Who may sign? May I cancel? 怎么付款？为什么被拒？谁可以签字？"
    ),
    "boxes": "☐ yes ☐ no\n☑ heard ☐ seen\n→ next\n■ done □ open\n│ a │ b │\n├───┼───┤\n│ c │ d │",
    "姓名": (
        "王建国 李秀英 张伟 刘洋 陈静 杨帆 赵磊 黄丽萍 周杰 吴桂兰 徐志强 孙晓梅 胡雪松 朱莹 高翔 林淑芬 "
        "何俊杰 郭玉兰 马骏 罗凤英 韩冰"
    ),
    "地名": (
        "石家庄 唐山 秦皇岛 邯郸 邢台 张家口 承德 沧州 廊坊 衡水 呼和浩特 鄂尔多斯 巴彦淖尔 葫芦岛 齐齐哈尔 "
        "佳木斯 牡丹江 亳州 衢州"
    ),
    "菜名": (
        "宫保鸡丁 鱼香肉丝 麻婆豆腐 夫妻肺片 担担面 毛血旺 糖醋排骨 佛跳墙 煲仔饭 剁椒鱼头 臭鳜鱼 葱烧海参 "
        "锅包肉 羊肉泡馍 臊子面 糌粑"
    ),
    "药材": (
        "当归 黄芪 党参 白术 茯苓 川芎 熟地黄 枸杞子 菟丝子 杜仲 淫羊藿 肉苁蓉 锁阳 巴戟天 墨旱莲 山茱萸 "
        "芡实 桑螵蛸 藁本 荆芥 蔓荆子"
    ),
    "鸟名": (
        "鸬鹚 鹈鹕 鸿雁 疣鼻天鹅 赤麻鸭 鸳鸯 鹗 黑鸢 苍鹰 秃鹫 游隼 鹌鹑 勺鸡 丹顶鹤 大鸨 凤头麦鸡 金眶鸻 "
        "扇尾沙锥 矶鹬 雕鸮 纵纹腹小鸮"
    ),
    "元素": (
        "氢氦锂铍硼碳氮氧氟氖钠镁铝硅磷硫氯氩钾钙钪钛钒铬锰铁钴镍铜锌镓锗砷硒溴氪铷锶钇锆"
        "铌钼锝钌铑钯银镉铟锡锑碲碘氙铯钡镧铈镨钕"
    ),
    "译名": (
        "费奥多尔·米哈伊洛维奇·陀思妥耶夫斯基，加布里埃尔·加西亚·马尔克斯，沃尔夫冈·"
        "阿马德乌斯·莫扎特，谢尔盖·拉赫玛尼诺夫"
    ),
    "古诗": (
        "千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。松下问童子，言师采药去。只在此山"
        "中，云深不知处。红豆生南国，春来发几枝。"
    ),
    "论语": (
        "子曰：学而时习之，不亦说乎？有朋自远方来，不亦乐乎？其为人也孝弟，而好犯上者，鲜"
        "矣。君子务本，本立而道生。吾日三省吾身。"
    ),
    "粵語": (
        "佢哋話今日唔使返工，我就喺屋企瞓覺囉。你食咗飯未呀？啱啱食完，依家睇緊電視。聽日"
        "去邊度玩好呢？不如去海洋公園啦，嗰度好多嘢玩。"
    ),
    "日本語": (
        "水道会社は昨年、漏水によって供給量の十九パーセントを失った。これは規制当局が認め"
        "る水準を超えている。取締役会は春に会議を開いた。"
    ),
    "Deutsch": (
        "Die Stadtwerke haben im vergangenen Jahr neunzehn Prozent ihres Wassers durch Lecks verloren, mehr "
        "als erlaubt ist."
    ),
    "Tiếng Việt": (
        "Công ty cấp nước đã mất mười chín phần trăm lượng nước do rò rỉ trong năm khô hạn, nhiều hơn mức cho phép."
    ),
    "Magyar": (
        "A vízmű a száraz évben a vízkészletének tizenkilenc százalékát veszítette el, többet, mint amennyit "
        "megengednek."
    ),
    "हिन्दी": ("जल कंपनी ने सूखे वर्ष में रिसाव के कारण अपनी आपूर्ति का उन्नीस प्रतिशत खो दिया, जो नियामक की अनुमति से अधिक है।"),
    "ไทย": "บริษัทน้ำสูญเสียน้ำสิบเก้าเปอร์เซ็นต์จากการรั่วไหลในปีที่แห้งแล้ง มากกว่าที่หน่วยงานกำกับอนุญาต",
}
"""What is rare in a language and no garbage."""


@pytest.mark.parametrize("kind", NO_GARBAGE)
def test_what_is_no_running_text_is_no_garbage(kind):
    found = assess(NO_GARBAGE[kind])
    assert (found.verdict, found.reasons) == ("good", ())


def test_letters_are_cheap_where_they_are_expected():
    assert frequencies.bits_a_letter(["the", "water"]) < 3 < 6 < frequencies.bits_a_letter(["uif", "xbufs"])
    assert frequencies.word_bits("q") > frequencies.word_bits("a")


def test_characters_are_cheap_where_they_follow_one_another():
    assert frequencies.bits_a_character(["中华人民共和国"]) < frequencies.bits_a_character(["国共民中和人华"])
    assert [frequencies.is_strange(character) for character in "国國気哋舏坟"] == [False] * 4 + [True, False]


def test_a_million_letters_without_a_space_take_no_longer_than_a_page_may():
    text = "".join(random.Random(1).choices(string.ascii_lowercase, k=1_000_000))
    assert garbage.latin_garbled(text) in range(len(text) + 1)


def test_the_file_names_the_licence_of_each_source():
    figures = json.loads(frequencies.FIGURES.read_text(encoding="utf-8"))
    assert all(figures["sources"].values())
    assert frequencies.FIGURES.stat().st_size < 60_000
