"""A document in a language that the models were not made for is named and warned of, where it is read and asked."""

from __future__ import annotations

import pytest
from screens import SMALL, open_page, says, text_of
from streamlit.testing.v1 import AppTest

from pages.ui.shell import cached
from rag_core.datatypes import Document, Page
from rag_core.models import catalog
from rag_core.reading.pdf import document_id

KOREAN = Document(
    "00000000korean00", "korean.pdf", "en", (Page(1, "수도 회사는 지난해 누수로 공급량의 십구 퍼센트를 잃었다."),)
)
RUSSIAN = Document(
    "0000000russian00", "russian.pdf", "en", (Page(1, "Водоканал потерял девятнадцать процентов воды."),)
)
MULTILINGUAL = {
    "embedder": catalog.multilingual(catalog.EMBEDDERS),
    "reranker": catalog.multilingual(catalog.RERANKERS),
}


@pytest.fixture(autouse=True)
def documents(library) -> None:
    for document in (KOREAN, RUSSIAN):
        cached.lab().documents.save(document)


def warned(at: AppTest) -> list[str]:
    return [warning.value for warning in at.warning if warning.icon == ":material/translate:"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("document", [KOREAN, RUSSIAN])
def test_documents_names_the_language_and_what_to_do(language, document):
    at = open_page("documents", language, doc_id=document.id)
    code = "ko" if document is KOREAN else "ru"
    named = text_of(at, f"language.{code}")
    assert warned(at) == [text_of(at, "foreign.bundled", language=named, **MULTILINGUAL)]
    assert named in [metric.value for metric in at.metric]


def test_compare_warns_until_both_models_are_for_many_languages():
    at = open_page("compare", doc_id=KOREAN.id)
    assert "bilingual-embedder, bilingual-cross-encoder" in warned(at)[0].replace("`", "").replace("\\", "")
    assert not warned(open_page("compare", doc_id=KOREAN.id, **MULTILINGUAL))


def test_of_chinese_and_english_nothing_is_said():
    at = open_page("documents", doc_id=document_id(SMALL))
    assert not warned(at) and not says(at, "foreign.bundled")


def test_a_collection_names_each_language_once():
    both = cached.lab().library.collect("Both", [KOREAN.id, RUSSIAN.id, document_id(SMALL)]).id
    at = open_page("compare", doc_id=both)
    names = text_of(at, "foreign.and").join(text_of(at, f"language.{code}") for code in ("ko", "ru"))
    assert names in warned(at)[0]
