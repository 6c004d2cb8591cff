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
    """A file without a byte in it."""

    code = "empty_file"


class NotAPdf(DocumentError):
    """A file of another kind."""

    code = "not_a_pdf"


class DamagedPdf(DocumentError):
    """A PDF that no reader of ours makes sense of; ``reason`` is what one says."""

    code = "damaged_pdf"


class NoRoomForVisitor(DocumentError):
    """A document with which a visitor of a server would keep more than they may."""

    code = "no_room_for_visitor"


class PasswordNeeded(DocumentError):
    """An encrypted PDF that came without its password."""

    code = "password_needed"


class WrongPassword(DocumentError):
    """A password that opens another file."""

    code = "wrong_password"


class NoText(DocumentError):
    """Pages without a letter, ``pages`` of them."""

    code = "no_text"


class FileTooLarge(DocumentError):
    """A file of ``size_mb`` MB, more than ``limit_mb``."""

    code = "file_too_large"


class TooManyPages(DocumentError):
    """A document of ``pages`` pages, more than ``limit``."""

    code = "too_many_pages"


class ReadTooLong(DocumentError):
    """A file that was given up after ``seconds`` without another page."""

    code = "read_too_long"


class ReadTooLarge(DocumentError):
    """A file that wants more than ``megabytes`` MB of memory to be read."""

    code = "read_too_large"


class DocumentMissing(DocumentError):
    """A document that was deleted, or never was in this library."""

    code = "document_missing"


class DocumentDamaged(DocumentError):
    """A document whose text, file or title is not as it was kept."""

    code = "document_damaged"


class PageNotDrawn(DocumentError):
    """A page that PDFium draws no picture of."""

    code = "page_not_drawn"


class FileNotKept(DocumentError):
    """A document from before files were kept: its text is here, its pages cannot be shown."""

    code = "file_not_kept"


class OcrMissing(DocumentError):
    """Pictures of text, and no package installed that reads them."""

    code = "ocr_missing"


class ChunkMissing(DocumentError):
    """A chunk of a document that was cut in another way since."""

    code = "chunk_missing"


class EmptyCollection(DocumentError):
    """A collection without a document, or without a name."""

    code = "empty_collection"


class InputError(RerankLabError):
    """A question or a setting that cannot be used as it is."""


class EmptyQuery(InputError):
    """A question of nothing but space."""

    code = "empty_query"


class QueryTooLong(InputError):
    """A question of ``length`` characters, more than ``limit``."""

    code = "query_too_long"


class BadSetting(InputError):
    """A setting with a ``value`` that it may not have; ``limit`` says which it may."""

    code = "bad_setting"

    @classmethod
    def outside(cls, setting: str, value: object, limit: str) -> BadSetting:
        """Return the error for a value that a setting may not have; ``limit`` says which it may."""
        shown = repr(value) if isinstance(value, str) else value
        return cls(f"{setting} is {shown}; choose from {limit}", setting=setting, value=value, limit=limit)


class NothingFound(InputError):
    """A question that shares no word with any chunk, where nothing else searches."""

    code = "nothing_found"


class BadFile(InputError):
    """A file of questions or judgments that cannot be read; ``line`` says where."""


class NotText(BadFile):
    """Bytes that are text in no encoding that is read."""

    code = "not_text"


class NoQuestionColumn(BadFile):
    """A table with columns ``found``, none of which has one of the ``names`` of a column of questions."""

    code = "no_question_column"


class BadRow(BadFile):
    """A row of ``cells`` cells under a header of fewer, ``columns``, where nothing says which belong together."""

    code = "bad_row"


class OpenQuote(BadFile):
    """A quotation mark before ``text`` that does not close at the end of its cell."""

    code = "open_quote"


class BadJson(BadFile):
    """A line that is no JSON object of texts and numbers; ``reason`` says why."""

    code = "bad_json"


class BadWorkbook(BadFile):
    """A workbook that cannot be read; ``reason`` says why."""

    code = "bad_workbook"


class TooManyLines(BadFile):
    """A file of ``count`` lines or rows, more than ``limit``."""

    code = "too_many_lines"


class QuestionsTooLarge(BadFile):
    """A file of questions of ``size_mb`` MB, more than ``limit_mb``."""

    code = "questions_too_large"


class RowWithoutQuestion(BadFile):
    """A row whose cell for the question is blank."""

    code = "row_without_question"


class RowTooLong(BadFile):
    """A row whose question has ``length`` characters, more than ``limit``."""

    code = "row_too_long"


class BadGrade(BadFile):
    """A grade other than 0, 1 and 2."""

    code = "bad_grade"


class BadPage(BadFile):
    """A page that is not a whole number."""

    code = "bad_page"


class BadQrels(BadFile):
    """A line of qrels that has not four fields."""

    code = "bad_qrels"


class UnknownQuestion(BadFile):
    """A line of qrels about a question that is not in the set."""

    code = "unknown_question"


class UnknownChunk(BadFile):
    """A line of qrels about a chunk that the document, cut as it is now, has not."""

    code = "unknown_chunk"


class NoRunColumns(BadFile):
    """A table with columns ``found`` that was to be another system's ranking, and has not the columns of one."""

    code = "no_run_columns"


class BadRun(BadFile):
    """A line of a TREC run that has not six fields."""

    code = "bad_run"


class BadRank(BadFile):
    """A rank that is not a whole number from 0 on."""

    code = "bad_rank"


class BadScore(BadFile):
    """A score that is no number."""

    code = "bad_score"


class MixedRuns(BadFile):
    """A TREC run whose lines have several ``tags``."""

    code = "mixed_runs"


class RunQuestionsUnknown(BadFile):
    """A ranking of which no question is in the set; ``name`` is the first of them."""

    code = "run_questions_unknown"


class RunChunksUnknown(BadFile):
    """A TREC run that ranks none of this document's chunks, ``chunk`` first."""

    code = "run_chunks_unknown"


class RunOfAnotherCut(BadFile):
    """A TREC run of this document's chunks, cut as ``cut``, while it is cut as ``now``."""

    code = "run_of_another_cut"


class RunTextsUnknown(BadFile):
    """A ranking of texts of which none stands in the document, ``text`` first."""

    code = "run_texts_unknown"


class TooManyRuns(InputError):
    """One more ranking of another system than the ``limit`` that a document keeps."""

    code = "too_many_runs"


class TooManyQuestions(BadFile):
    """A file of ``count`` questions, more than ``limit``."""

    code = "too_many_questions"


class NoQuestions(InputError):
    """An evaluation with nothing to ask."""

    code = "no_questions"


class UmapMissing(InputError):
    """A layout by UMAP where it is not installed; ``command`` brings it."""

    code = "umap_missing"


class EmptyText(InputError):
    """A text, typed in place of a chunk's, of nothing but space."""

    code = "empty_text"


class OneUnit(InputError):
    """A text that leaves nothing when its only unit is left out."""

    code = "one_unit"


class ModelError(RerankLabError):
    """A model that cannot be used."""


class UnknownModel(ModelError):
    """A name that is neither in the catalogue, nor a folder, nor on the Hugging Face hub."""

    code = "unknown_model"


class ModelNotOffered(ModelError):
    """A model that a visitor of a server may not have; whether there is one of that name is not said."""

    code = "model_not_offered"


class HubUnreachable(ModelError):
    """A model that is not on this machine while the hub does not answer."""

    code = "hub_unreachable"


class ModelUnusable(ModelError):
    """A model that does not load, or gives what no order can be made of; ``reason`` says what."""

    code = "model_unusable"


class ModelsMissing(ModelError):
    """A model of the hub or of a folder, and no packages installed that load it; ``command`` brings them."""

    code = "models_missing"


class ConstantScores(ModelError):
    """A reranker that gives every pair of the self-test the same ``score``."""

    code = "constant_scores"


class LibraryError(RerankLabError):
    """The folder that holds the reader's documents cannot be used."""


class LibraryInUse(LibraryError):
    """A folder that another process has open."""

    code = "library_in_use"


class LibraryUnwritable(LibraryError):
    """A folder that the system does not let this program write."""

    code = "library_unwritable"


class DiskFull(LibraryError):
    """A folder on a disk without room."""

    code = "disk_full"


class LibraryDamaged(LibraryError):
    """A library's ``file`` that is not as it was written."""

    code = "library_damaged"


class IndexUnreadable(LibraryError):
    """An index that could not be built anew after it was found damaged."""

    code = "index_unreadable"


class VectorSize(LibraryError):
    """A question's embedding of ``asked`` numbers against ``stored`` of the document's."""

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
    """A model on a server, and no address set for it."""

    code = "server_missing"
    sentence = "no address for {model}: set {setting}, or type one for this session"


class ServerScheme(ServerError):
    """An address that does not begin as one does."""

    code = "server_scheme"
    sentence = "the address {address} of {service} lacks http:// or https:// at its beginning: write it whole"


class ServerAddress(ServerError):
    """An address at which no API of the form answers; ``said`` is the sentence of what does."""

    code = "server_address"
    sentence = (
        "no {form} API answers at {address}, where {service} was looked for: check the address, which usually looks "
        "like {example}, and that the server speaks {form}. {said}"
    )


class ServerInternal(ServerError):
    """An address inside this machine's own network, typed by a visitor."""

    code = "server_internal"
    sentence = (
        "{service} at {address} lies in this server's own network: type a public address, for only its host may set "
        "this one"
    )


class ServerKeyMissing(ServerError):
    """A server that wants a key, and none is set."""

    code = "server_key_missing"
    sentence = (
        "{service} at {address} needs a key: set {setting}, write it into .env, or type one for this session; an "
        "address typed for this session needs a key typed with it"
    )


class ServerKeyGarbled(ServerError):
    """A key that no header can hold."""

    code = "server_key_garbled"
    sentence = "{service} at {address} was not asked: its key holds a character that no key has; copy the key again"


class ServerKey(ServerError):
    """A key that the server does not accept."""

    code = "server_key"
    sentence = (
        "{service} at {address} does not accept the key: check it, and what it allows; if it stands in {setting}, "
        "correct it there and start again. {said}"
    )


class ServerTimeout(ServerError):
    """No whole answer within ``seconds``."""

    code = "server_timeout"
    sentence = (
        "{service} at {address} gave no whole answer in {seconds} seconds: try again in a while, or with a smaller "
        "depth; if it stays so, choose another server"
    )


class ServerUnreachable(ServerError):
    """A connection that was not made, or broke off."""

    code = "server_unreachable"
    sentence = (
        "{service} at {address} cannot be reached ({reason}): check the address, the network and the proxy, and that "
        "the server runs"
    )


class ServerMoved(ServerError):
    """A server that points elsewhere, where nothing is sent."""

    code = "server_moved"
    sentence = "{service} at {address} points to {target}, where nothing was sent: type that address if you trust it"


class ServerRefused(ServerError):
    """A status that is no success and says nothing of key, address or load; ``said`` is the server's sentence."""

    code = "server_refused"
    sentence = "{service} at {address} refused ({status}): {said}"


class ServerBusy(ServerError):
    """A server that asks to be left alone for ``seconds``."""

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
    """An answer that went on past the limits of ``servers/limits.py``."""

    code = "server_too_long"
    sentence = (
        "{service} at {address} went on past {characters} characters or {seconds} seconds and was stopped: ask again, "
        "or another model"
    )


class ChromaTooOld(ServerError):
    """A Chroma server from before version 1, whose API is another."""

    code = "chroma_too_old"
    sentence = "{service} at {address} is version {version}: run version 1 or later there"


class NotChroma(ServerError):
    """An address that answers as something else."""

    code = "not_chroma"
    sentence = "{address} is no Chroma server: set RERANK_LAB_CHROMA to one, or leave it out"


class ChromaDatabaseMissing(ServerError):
    """A Chroma server without the database, or the tenant, that is set."""

    code = "chroma_database_missing"
    sentence = (
        "{service} at {address} has no database {database!r} of tenant {tenant!r}: check RERANK_LAB_CHROMA_DATABASE "
        "and RERANK_LAB_CHROMA_TENANT"
    )


class ChromaFailed(ServerError):
    """A Chroma server that failed twice; ``reason`` is what it says."""

    code = "chroma_failed"
    sentence = "{service} at {address} cannot build the index ({reason}): look into its log"


class WorkshopError(RerankLabError):
    """A round or a room that does not go on as it was asked to."""


class TooFewCandidates(WorkshopError):
    """A comparison of so few ``candidates`` that there is nothing to choose."""

    code = "too_few_candidates"


class PickCount(WorkshopError):
    """A pick of ``picked`` chunks where ``wanted`` are asked for."""

    code = "pick_count"


class PickMissing(WorkshopError):
    """A pick that names a chunk of another round."""

    code = "pick_missing"


class RoundOver(WorkshopError):
    """A pick for a round that was revealed, or that the teacher left."""

    code = "round_over"


class RoomMissing(WorkshopError):
    """A code that opens no room."""

    code = "room_missing"


class RoomEnded(WorkshopError):
    """A code of a room whose time is up, or that the teacher ended."""

    code = "room_ended"


class RoomFull(WorkshopError):
    """A room with all its ``seats`` taken."""

    code = "room_full"


class RoomKeyWrong(WorkshopError):
    """A teacher's key that is not this room's."""

    code = "room_key_wrong"


class ReplayError(RerankLabError):
    """A saved comparison that cannot be opened or is not here."""


class NotAReplay(ReplayError):
    """A file of another kind."""

    code = "not_a_replay"


class ReplayTooLarge(ReplayError):
    """A file of more bytes or values than one that was saved here can hold."""

    code = "replay_too_large"


class ReplayDamaged(ReplayError):
    """A file that begins as one of ours and is no whole JSON."""

    code = "replay_damaged"


class ReplayTooNew(ReplayError):
    """A file of format ``version``, which only a newer app knows."""

    code = "replay_too_new"


class ReplayInvalid(ReplayError):
    """A file with a ``value`` at ``place`` that cannot stand there."""

    code = "replay_invalid"


class ReplayAltered(ReplayError):
    """A file that contradicts itself at ``place``."""

    code = "replay_altered"


class HistoryMissing(ReplayError):
    """A comparison that gave way to newer ones."""

    code = "history_missing"
