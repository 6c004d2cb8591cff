"""The forms of sentences and headings that answer a question, and the question each of them answers."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A form of sentence, and the question it answers.

    ``kind`` says what is asked: ``change``, ``amount``, ``count``, ``date`` or ``term``. ``pattern`` has a group
    ``subject``; ``question`` names its groups, and ``base`` for the plain form of the group ``verb``.
    """

    kind: str
    pattern: re.Pattern[str]
    question: str

    def ask(self, found: re.Match[str], subject: str) -> str:
        """Return the question, with the subject as it stands inside a sentence."""
        groups = {name: text or "" for name, text in found.groupdict().items()}
        asked = self.question.format(**groups | {"subject": subject, "base": BASES.get(groups.get("verb", ""))})
        return asked[:1].upper() + asked[1:]


# English

_SMALL = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety"
).replace(" ", "|")
_DIGITS = r"\d[\d,]*(?:\.\d+)?(?: (?:hundred|thousand|million|billion))*"
_NUMBER = rf"(?:{_DIGITS}|(?:{_SMALL})(?:-\w+)?(?: (?:hundred|thousand|million|billion))*)"
_ABOUT = r"(?:about |nearly |almost |over |around |more than |just |roughly )*"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE = rf"(?:(?:\d{{1,2}} )?(?:{_MONTHS})(?: \d{{1,2}},)?(?: \d{{4}})?|(?:19|20)\d\d)\b"
_WORD = r"[\w’'-]+"
_SUBJECT = rf"^(?P<subject>[A-Z][\w’'-]*(?: {_WORD}){{0,6}}?)"
_THINGS = r"(?P<subject>(?:[a-z-]+ ){0,3}?(?:[a-z]+s|people|women|men|children)(?: of [a-z]+(?: [a-z]+)?)?)"
_WHERE = rf"(?P<rest>(?: (?:in|at|on|for|during|within|across|from|a day|a year)\b(?: {_WORD}){{0,7}})?)(?=[,;:.!?]|$)"
_REST = rf"(?P<rest>(?: {_WORD}){{0,8}}?)(?=[,;:.!?]|$)"
_SOME = rf"(?P<rest>(?: {_WORD}){{0,4}}?)"
_DONE = r"(?:[a-z]+ed|built|sold|bought|laid|held|sent|taught|made|paid|cut|lost|won|hurt|born|found|written|taken)\b"
_RELATIVE = r"(?:that|which|whose|(?:in|on|at|by|from) which|where)\b"
_ENDS = r"(?=[,;:.]|$| (?:of|in|at|on|for|by|from|up|down|and|but|against|compared|last|this)\b)"

_CHANGES = {
    "rose": "rise",
    "grew": "grow",
    "fell": "fall",
    "increased": "increase",
    "decreased": "decrease",
    "dropped": "drop",
    "declined": "decline",
    "improved": "improve",
    "narrowed": "narrow",
    "shrank": "shrink",
}
_EVENTS = {
    "opened": "open",
    "closed": "close",
    "began": "begin",
    "started": "start",
    "ended": "end",
    "took effect": "take effect",
    "came into force": "come into force",
    "failed": "fail",
    "expired": "expire",
    "merged": "merge",
}
BASES = _CHANGES | _EVENTS
_CHANGED, _HAPPENED = "|".join(_CHANGES), "|".join(_EVENTS)
_CHANGE_OF = rf"{_SUBJECT} (?P<verb>{_CHANGED})(?: [a-z]+ly)?"
_LEVEL_OF = rf"{_SUBJECT} (?P<verb>was|were|is|are)(?: now| still)?"

_ENGLISH = (
    ("change", rf"{_CHANGE_OF} by {_ABOUT}[£$€¥]?{_NUMBER}", "By how much did {subject} {base}?"),
    ("change", rf"{_CHANGE_OF} (?:from|to) {_ABOUT}[£$€¥]?{_NUMBER}", "How far did {subject} {base}?"),
    ("amount", rf"{_LEVEL_OF} {_ABOUT}[£$€¥]{_DIGITS}{_ENDS}", "How much {verb} {subject}?"),
    ("amount", rf"{_LEVEL_OF} {_ABOUT}{_DIGITS} ?(?:%|per ?cent\b){_ENDS}", "How high {verb} {subject}?"),
    (
        "count",
        rf"^(?:A total of )?(?i:{_ABOUT}{_NUMBER}) {_THINGS} (?P<verb>(?:were|are|have been|will be) {_DONE}){_REST}",
        "How many {subject} {verb}{rest}?",
    ),
    ("count", rf"^We (?P<verb>{_DONE}) {_ABOUT}{_NUMBER} {_THINGS}{_WHERE}", "How many {subject} were {verb}{rest}?"),
    (
        "count",
        rf"^The (?P<who>[a-z]+(?: [a-z]+)?) (?P<verb>{_DONE}) {_ABOUT}{_NUMBER} {_THINGS}{_WHERE}",
        "How many {subject} were {verb} by the {who}{rest}?",
    ),
    ("date", rf"{_SUBJECT} (?P<verb>{_HAPPENED}){_SOME} (?:on|in) {_DATE}", "When did {subject} {base}{rest}?"),
    (
        "date",
        rf"{_SUBJECT} (?P<be>was|were) (?P<verb>{_DONE}){_SOME} (?:on|in) {_DATE}",
        "When {be} {subject} {verb}{rest}?",
    ),
    (
        "date",
        rf"{_SUBJECT} will be (?P<verb>{_DONE}){_SOME} (?:on|in|by) {_DATE}",
        "When will {subject} be {verb}{rest}?",
    ),
    ("term", rf"{_SUBJECT} (?P<verb>is|are) (?:the|an?|any) (?:[a-z-]+ ){{1,3}}?{_RELATIVE}", "What {verb} {subject}?"),
    ("term", rf"{_SUBJECT} (?:means|refers to) ", "What is meant by {subject}?"),
)

# Chinese

_HAN = r"\u4e00-\u9fff"
_CLAUSE = r"(?:(?<=[，。；：])|^)(?:其中|同时|此外|另外|全年|全市|今年|去年|本市|当年)*"
_FIGURE = r"(?<!\d)(?:近|约|超过|突破)?\d[\d.,]*[万亿千百]?(?:多|余)?"
_COUNTED = "[个家所套件户处座台辆艘条项名]"
_MEASURED = "平方米|平方公里|公里|公顷|亿元|万元|[个家所套件户处座台辆艘条项名部张栋亩例场位吨篇]"
_WHAT = rf"(?P<subject>[\d{_HAN}]{{4,14}}?)"
_MADE = (
    "新增|新建|新改建|改扩建|改建|扩建|建设|改造|更换|建成|修复|筹集|培养|引进|开办|开通|优化|清理|发放|办理|竣工|创建|收购"
    "|提升|整治|修缮|安排|举办|培训"
)
_YEAR = r"\d{4}年|去年|今年|明年"
_DAY = rf"(?:(?:{_YEAR})?\d{{1,2}}月(?:\d{{1,2}}日)?(?:[底初]|[上中下]旬)?|(?:{_YEAR})[底初]?)"
_HAPPENS = (
    "(?P<verb>(?:正式|全面|开始)?"
    "(?:开通|启用|投用|投产|并网|完工|竣工|开工|动工|通车|开业|开馆|成立|施行|生效|上市|登陆|启动))"
)

_CHINESE = (
    (
        "change",
        rf"{_CLAUSE}{_WHAT}(?:同比|比上年)?(?P<verb>增长|下降|上涨|提高|减少|增加)了?{_FIGURE}(?:[%％]|个百分点)",
        "{subject}{verb}多少？",
    ),
    ("amount", rf"{_CLAUSE}{_WHAT}(?:平均)?(?:达到|达|为){_FIGURE}(?:[%％]|亿元|万元|元)", "{subject}是多少？"),
    ("amount", rf"{_CLAUSE}{_WHAT}(?:达到|达){_FIGURE}(?P<measure>{_COUNTED})", "{subject}有多少{measure}？"),
    (
        "count",
        rf"{_CLAUSE}(?P<verb>(?:(?:{_MADE})[和及、]?)+){_WHAT}{_FIGURE}(?P<measure>{_MEASURED})",
        "一共{verb}多少{measure}{subject}？",
    ),
    ("date", rf"{_CLAUSE}{_DAY}，?{_WHAT}{_HAPPENS}", "{subject}什么时候{verb}？"),
    ("date", rf"{_CLAUSE}{_WHAT}(?:将?[于在])?{_DAY}{_HAPPENS}", "{subject}什么时候{verb}？"),
    ("term", rf"^(?P<subject>[{_HAN}A-Za-z]{{2,12}})，?(?:是指|指的是)", "什么是{subject}？"),
)

FORMS = {
    "en": [Form(kind, re.compile(pattern), question) for kind, pattern, question in _ENGLISH],
    "zh": [Form(kind, re.compile(pattern), question) for kind, pattern, question in _CHINESE],
}

GLOSSARY = re.compile(rf"^([{_HAN}A-Za-z\d]{{2,12}})：[^：\n]{{18,}}。$", re.MULTILINE)
"""A line that explains a term after a colon."""

NO_SUBJECT = {
    "en": re.compile(
        r"\b(?:this|that|these|those|it|its|they|their|he|she|his|her|we|i|you|there|which|who|whom|whose|when|if|as"
        r"|while|although|though|because|but|or|not|than|is|was|were|are|be|been|had|has|have|did|do|will|would|could"
        r"|should|may|might|all|most|some|both|each|half|still|also|again|ever|now|alone|already|another|others|such"
        r"|only|about|former|latter|one|so|then)\b"
        r"|^(?:in|on|at|by|for|from|with|without|after|before|since|until|under|over|during|of|to|among|and|table|figure"
        r"|page)\b"
        r"|\b(?:aim|goal|target|figure|number|rate|increase|decrease|rest|result|reason|difference|total)$",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"^(?:[的是有当每比较其这那由从把将对向在按以被让使于与和及或但而并且共已又再也还仍均都则就只约各该此占]|年均|平均|累计"
        r"|确保|实现|完成|推动|上年|同比|主要|包括|提出|定为|\d+[个项])"
        r"|我们|分别|年度计划|上一年|力争|争取|预计|计划|目标|后|每年|可以|里有|用作|[一二三四五六七八九十\d]是"
        r"|[的了着和与及为由在把将较比等]$"
    ),
}
"""What points elsewhere, or names no thing: a question about it could not be understood by itself."""

# Headings

NUMBERING = re.compile(
    r"^(?:第[一二三四五六七八九十百\d]+[章节条部分]+|[（(][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+[、.．]"
    r"|\d{1,2}(?:\.\d{1,2})*[.、．)]?(?![\d年月])|[A-Z]\.|(?:Chapter|Section|Part)\s+\w+[.:]?)\s*"
)
SEVERAL = {
    "en": re.compile(
        r"(?:[A-Za-z]+ ){0,3}(?:risks|objectives|goals|aims|targets|findings|conclusions|recommendations|challenges"
        r"|limitations|results|priorities|requirements|responsibilities|benefits|causes|reasons|duties|principles)",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"[\d\u4e00-\u9fff]{2,12}(?:问题|目标|任务|措施|风险|原因|建议|要求|挑战|职责|原则|优势)"),
}
"""Headings that name several things of a kind."""

TOPIC = {
    "en": re.compile(
        r"(?!.*\b(?:introduction|summary|overview|contents|references|acknowledge?ments)\b)"
        r"(?:[A-Za-z][\w’'-]*)(?: [A-Za-z][\w’'-]*){1,5}",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"(?!引言|前言|概述|总则|附则|附录|参考文献|目录|摘要|结论|总结|背景|其他)[\u4e00-\u9fff]{3,10}"),
}
"""Numbered headings that name what is written about below them."""

ABOUT = {"en": "What does the document say about {}?", "zh": "关于{}，文档里是怎么说的？"}
WHICH = {"en": "What are the {}?", "zh": "{}有哪些？"}
HOW = re.compile(r"(How|Where|When|Why) ((?:the|our|a) .{3,40}?) (is|are|was|were) (\w+)")
"""A heading that is an indirect question."""

LEAST_BODY = {"en": 60, "zh": 20}
"""A heading stands above a line of at least so many characters; entries of tables and of contents do not."""
