"""Several documents searched as one: a folder, a course reader.

A collection is a row beside the documents and a list of members. What is cut, embedded, indexed and judged stays with
each member, so one can come or go without another being touched.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from rag_core import chunk, judge
from rag_core.datatypes import Document, Judgment
from rag_core.errors import EmptyCollection
from rag_core.pipeline import Lab

LONGEST_TITLE = 200


def save(lab: Lab, title: str, doc_ids: Sequence[str], owner: str = "", collection_id: str = "") -> Document:
    """Put documents of an owner together; with an id, give that collection this title and these members.

    The members' questions come along. What is a collection itself, another owner's, or without text is left out.

    Raises:
        EmptyCollection: no title or no member is left.
    """
    title, known = " ".join(title.split())[:LONGEST_TITLE], lab.titles(owner)
    members = [lab.document(one) for one in dict.fromkeys(doc_ids) if one in known]
    members = [member for member in members if any(page.text for page in member.pages)]
    if not title or not members:
        raise EmptyCollection("a collection needs a name and at least one document: choose some")
    language = chunk.language([page for member in members for page in member.pages])
    ids = tuple(member.id for member in members)
    collection = Document(collection_id or secrets.token_hex(8), title, language, (), ids)
    lab.library.save_members(collection, owner)
    for member in ids:
        lab.ask(collection.id, list(lab.questions(member).values()))
    return collection


def keep(lab: Lab, doc_id: str, judgments: Sequence[Judgment]) -> None:
    """Keep judgments with the document, or with those members of a collection that they are about.

    One that names no member is about every member that holds its words; when none does, the first keeps it, as lost.
    """
    document = lab.document(doc_id)
    for judgment in judgments:
        for part in _about(lab, document, judgment):
            lab.judge(part, [judgment])
    if document.is_collection:
        lab.ask(doc_id, [judgment.question for judgment in judgments])


def _about(lab: Lab, document: Document, judgment: Judgment) -> list[str]:
    if not document.is_collection or judgment.span.doc_id in document.members:
        return [judgment.span.doc_id if document.is_collection else document.id]
    holding = [part for part in document.members if judge.locate(judgment.span, lab.document(part).pages)]
    return holding or list(document.members[:1])
