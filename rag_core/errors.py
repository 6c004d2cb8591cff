"""Everything that can go wrong for a reader, as one small tree.

Each class has a ``code``. The message names the value and the remedy, in English, for logs and the command line;
``values`` holds the same facts, so that the app can say it in the reader's language.
"""


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


class ChromaServerError(RerankLabError):
    """The server that holds the indexes does not do its work."""


class ChromaUnreachable(ChromaServerError):
    code = "chroma_unreachable"


class ChromaTimeout(ChromaServerError):
    code = "chroma_timeout"


class ChromaRefused(ChromaServerError):
    code = "chroma_refused"


class ChromaTooOld(ChromaServerError):
    code = "chroma_too_old"


class NotChroma(ChromaServerError):
    code = "not_chroma"


class ChromaDatabaseMissing(ChromaServerError):
    code = "chroma_database_missing"


class ChromaFailed(ChromaServerError):
    code = "chroma_failed"


class LLMError(RerankLabError):
    """The language model's server did not give what was asked for."""


class KeyMissing(LLMError):
    code = "key_missing"


class KeyRefused(LLMError):
    code = "key_refused"


class BadServerAddress(LLMError):
    code = "bad_server_address"


class LLMTimeout(LLMError):
    code = "llm_timeout"


class LLMUnreachable(LLMError):
    code = "llm_unreachable"


class LLMRefused(LLMError):
    code = "llm_refused"


class LLMBusy(LLMError):
    code = "llm_busy"


class LLMBadAnswer(LLMError):
    code = "llm_bad_answer"


class LLMTooLong(LLMError):
    code = "llm_too_long"


class LLMRedirected(LLMError):
    code = "llm_redirected"


class ServerError(RerankLabError):
    """A server that reranks did not give what was asked for."""


class ServerMissing(ServerError):
    code = "server_missing"


class ServerAddress(ServerError):
    code = "server_address"


class ServerInternal(ServerError):
    code = "server_internal"


class ServerKey(ServerError):
    code = "server_key"


class ServerTimeout(ServerError):
    code = "server_timeout"


class ServerUnreachable(ServerError):
    code = "server_unreachable"


class ServerMoved(ServerError):
    code = "server_moved"


class ServerRefused(ServerError):
    code = "server_refused"


class ServerBadAnswer(ServerError):
    code = "server_bad_answer"


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
