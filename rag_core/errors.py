"""Everything that can go wrong for a reader, as one small tree.

Each class has a ``code``. The message names the value and the remedy, in English, for logs and the command line;
``values`` holds the same facts, so that the app can say it in the reader's language.
"""

from __future__ import annotations


class RerankLabError(Exception):
    """Anything a reader can do something about."""

    code = "unexpected"

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.values = values


class DocumentError(RerankLabError):
    """A document that cannot be used as it is."""


class EmptyFile(DocumentError):
    code = "empty_file"


class NotAPdf(DocumentError):
    code = "not_a_pdf"


class DamagedPdf(DocumentError):
    code = "damaged_pdf"


class PasswordNeeded(DocumentError):
    code = "password_needed"


class WrongPassword(DocumentError):
    code = "wrong_password"


class NoText(DocumentError):
    code = "no_text"


class FileTooLarge(DocumentError):
    code = "file_too_large"


class TooManyPages(DocumentError):
    code = "too_many_pages"


class ReadTooLong(DocumentError):
    code = "read_too_long"


class ReadTooLarge(DocumentError):
    code = "read_too_large"


class DocumentMissing(DocumentError):
    code = "document_missing"


class PageNotDrawn(DocumentError):
    code = "page_not_drawn"


class FileNotKept(DocumentError):
    code = "file_not_kept"


class OcrMissing(DocumentError):
    code = "ocr_missing"


class ChunkMissing(DocumentError):
    code = "chunk_missing"


class EmptyCollection(DocumentError):
    """A collection without a document, or without a name."""

    code = "empty_collection"


class InputError(RerankLabError):
    """A question or a setting that cannot be used as it is."""


class EmptyQuery(InputError):
    code = "empty_query"


class QueryTooLong(InputError):
    code = "query_too_long"


class BadSetting(InputError):
    code = "bad_setting"

    @classmethod
    def outside(cls, setting: str, value: object, limit: str) -> BadSetting:
        """Return the error for a value that a setting may not have; ``limit`` says which it may."""
        shown = repr(value) if isinstance(value, str) else value
        return cls(f"{setting} is {shown}; choose from {limit}", setting=setting, value=value, limit=limit)


class NothingFound(InputError):
    code = "nothing_found"


class BadFile(InputError):
    """A file of questions or judgments that cannot be read; ``line`` says where."""


class NotText(BadFile):
    code = "not_text"


class NoQuestionColumn(BadFile):
    code = "no_question_column"


class BadRow(BadFile):
    code = "bad_row"


class RowWithoutQuestion(BadFile):
    code = "row_without_question"


class RowTooLong(BadFile):
    code = "row_too_long"


class BadGrade(BadFile):
    code = "bad_grade"


class BadPage(BadFile):
    code = "bad_page"


class BadQrels(BadFile):
    code = "bad_qrels"


class UnknownQuestion(BadFile):
    code = "unknown_question"


class UnknownChunk(BadFile):
    code = "unknown_chunk"


class TooManyQuestions(BadFile):
    code = "too_many_questions"


class NoQuestions(InputError):
    code = "no_questions"


class EmptyText(InputError):
    code = "empty_text"


class OneUnit(InputError):
    code = "one_unit"


class ModelError(RerankLabError):
    """A model that cannot be used."""


class UnknownModel(ModelError):
    code = "unknown_model"


class HubUnreachable(ModelError):
    code = "hub_unreachable"


class ModelUnusable(ModelError):
    code = "model_unusable"


class ConstantScores(ModelError):
    code = "constant_scores"


class LibraryError(RerankLabError):
    """The folder that holds the reader's documents cannot be used."""


class LibraryInUse(LibraryError):
    code = "library_in_use"


class LibraryUnwritable(LibraryError):
    code = "library_unwritable"


class DiskFull(LibraryError):
    code = "disk_full"


class IndexUnreadable(LibraryError):
    code = "index_unreadable"


class VectorSize(LibraryError):
    code = "vector_size"


SERVICES = {
    "llm": "the language model",
    "reranker": "the reranker",
    "embedder": "the embedding model",
    "chroma": "the Chroma server",
}
"""What answers over HTTP, as it is called in a message."""


class ServerError(RerankLabError):
    """Something that answers over HTTP did not give what was asked for; ``service``, one of ``SERVICES``, says what."""

    sentence = ""

    def __init__(self, message: str = "", **values: object) -> None:
        # A copy that crosses to another process is made from the message alone; its values follow.
        super().__init__(message or self._message(values), **values)

    def _message(self, values: dict[str, object]) -> str:
        return self.sentence.format(**values | {"service": SERVICES[str(values["service"])]}).strip()


class ServerMissing(ServerError):
    code = "server_missing"
    sentence = "no address for {model}: set {setting}, or type one for this session"


class ServerAddress(ServerError):
    code = "server_address"
    sentence = (
        "no {form} API answers at {address}, where {service} was looked for: check the address, which usually looks "
        "like {example}, and that the server speaks {form}"
    )


class ServerInternal(ServerError):
    code = "server_internal"
    sentence = (
        "{service} at {address} lies in this server's own network: type a public address, for only its host may set "
        "this one"
    )


class ServerKeyMissing(ServerError):
    code = "server_key_missing"
    sentence = (
        "{service} at {address} needs a key: set {setting}, write it into .env, or type one for this session; an "
        "address typed for this session needs a key typed with it"
    )


class ServerKeyGarbled(ServerError):
    code = "server_key_garbled"
    sentence = "{service} at {address} was not asked: its key holds a character that no key has; copy the key again"


class ServerKey(ServerError):
    code = "server_key"
    sentence = (
        "{service} at {address} does not accept the key: check it, and what it allows; if it stands in {setting}, "
        "correct it there and start again. {said}"
    )


class ServerTimeout(ServerError):
    code = "server_timeout"
    sentence = (
        "{service} at {address} gave no whole answer in {seconds} seconds: try again in a while, or with a smaller "
        "depth; if it stays so, choose another server"
    )


class ServerUnreachable(ServerError):
    code = "server_unreachable"
    sentence = (
        "{service} at {address} cannot be reached ({reason}): check the address, the network and the proxy, and that "
        "the server runs"
    )


class ServerMoved(ServerError):
    code = "server_moved"
    sentence = "{service} at {address} points to {target}, where nothing was sent: type that address if you trust it"


class ServerRefused(ServerError):
    code = "server_refused"
    sentence = "{service} at {address} refused ({status}): {said}"


class ServerBusy(ServerError):
    code = "server_busy"
    sentence = "{service} at {address} is busy ({status}): try again in {seconds} seconds. {said}"


class ServerBadAnswer(ServerError):
    """An answer that is not one; ``text`` is what came of it, where it is text for a reader."""

    code = "server_bad_answer"
    sentence = (
        "{service} at {address} gave an answer that was cut off or is not of the form {form} ({reason}): try again, "
        "choose the form that fits, or another model"
    )


class ServerTooLong(ServerError):
    code = "server_too_long"
    sentence = (
        "{service} at {address} went on past {characters} characters or {seconds} seconds and was stopped: ask again, "
        "or another model"
    )


class ChromaTooOld(ServerError):
    code = "chroma_too_old"
    sentence = "{service} at {address} is version {version}: run version 1 or later there"


class NotChroma(ServerError):
    code = "not_chroma"
    sentence = "{address} is no Chroma server: set RERANK_LAB_CHROMA to one, or leave it out"


class ChromaDatabaseMissing(ServerError):
    code = "chroma_database_missing"
    sentence = (
        "{service} at {address} has no database {database!r} of tenant {tenant!r}: check RERANK_LAB_CHROMA_DATABASE "
        "and RERANK_LAB_CHROMA_TENANT"
    )


class ChromaFailed(ServerError):
    code = "chroma_failed"
    sentence = "{service} at {address} cannot build the index ({reason}): look into its log"


class WorkshopError(RerankLabError):
    """A round or a room that does not go on as it was asked to."""


class TooFewCandidates(WorkshopError):
    code = "too_few_candidates"


class PickCount(WorkshopError):
    code = "pick_count"


class PickMissing(WorkshopError):
    code = "pick_missing"


class RoundOver(WorkshopError):
    code = "round_over"


class RoomMissing(WorkshopError):
    code = "room_missing"


class RoomEnded(WorkshopError):
    code = "room_ended"


class RoomFull(WorkshopError):
    code = "room_full"


class RoomKeyWrong(WorkshopError):
    code = "room_key_wrong"


class ReplayError(RerankLabError):
    """A saved comparison that cannot be opened or is not here."""


class NotAReplay(ReplayError):
    code = "not_a_replay"


class ReplayTooLarge(ReplayError):
    code = "replay_too_large"


class ReplayDamaged(ReplayError):
    code = "replay_damaged"


class ReplayTooNew(ReplayError):
    code = "replay_too_new"


class ReplayInvalid(ReplayError):
    code = "replay_invalid"


class ReplayAltered(ReplayError):
    code = "replay_altered"


class HistoryMissing(ReplayError):
    code = "history_missing"
