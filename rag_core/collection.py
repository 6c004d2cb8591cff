"""Several documents searched as one: a folder, a course reader.

A collection is a row beside the documents and a list of members. What is cut, embedded, indexed and judged stays with
each member, so one can come or go without another being touched.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from rag_core.datatypes import Document
from rag_core.errors import EmptyCollection
from rag_core.lab import Lab
from rag_core.reading.language import language_of

LONGEST_TITLE, ID_LENGTH = 200, 16


def id_of(folder: Path) -> str:
    """Return the id of the collection that stands for a folder: the same one each time the folder is read."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:ID_LENGTH]


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
    spoken = language_of(*(page.text for member in members for page in member.pages))
    ids = tuple(member.id for member in members)
    collection = Document(collection_id or secrets.token_hex(ID_LENGTH // 2), title, spoken, (), ids)
    lab.library.save_members(collection, owner)
    for member in ids:
        lab.ask(collection.id, list(lab.questions(member).values()))
    return collection
