"""What a comparison says, in sentences and in figures."""

from pages.ui.parts.tables import one_line
from pages.ui.shell.i18n import plain, t
from rag_core.comparing.answer import is_clear
from rag_core.comparing.orders import RBO_PERSISTENCE, kendall_tau, overlap_at, rank_biased_overlap
from rag_core.datatypes import Answer, Chunk, Comparison
from rag_core.measuring.judge import RELEVANT
from rag_core.sharing.replay import Replay

QUOTED_COLUMNS = 90


def outcome(replay: Replay) -> tuple[str, str]:
    """Return in two sentences what reranking did: to the chunks judged to answer, or else to the first ones."""
    grades, moves = replay.grades, replay.comparison.moves
    changed, begins = headline(replay.comparison)
    relevant = [move for move in moves if grades.get(move.chunk.id, 0) >= RELEVANT]
    if not relevant:
        return changed, begins
    before, after = min(move.before for move in relevant), min(move.after for move in relevant)
    key = "rose" if after < before else "fell" if after > before else "stayed"
    quote = plain(t("outcome.quote", text=one_line(answering(replay, relevant[0].chunk), QUOTED_COLUMNS)))
    return t(f"outcome.{key}", before=before, after=after), f"{quote} · {changed}"


def answering(replay: Replay, chunk: Chunk) -> str:
    """Return the words of a chunk that were judged to answer, or its own where they stand there in part alone."""
    text = " ".join(chunk.text.split())
    flat = (" ".join(quote.split()) for quote in quotes(replay))
    return next((quote for quote in flat if quote in text), text)


def quotes(replay: Replay) -> list[str]:
    """Return the words that were judged to answer, as they stand on their pages."""
    return [judgment.span.quote for judgment in replay.judgments if judgment.grade >= RELEVANT]


def answer(given: Answer) -> str:
    """Return an answer as a text; one that is not clear says so first."""
    if is_clear(given):
        return given.text
    return f"{t('answer.unclear_nearest' if given.text else 'answer.unclear')} {given.text}".strip()


def headline(comparison: Comparison) -> tuple[str, str]:
    """Return in two sentences what changed in the first chunks."""
    count, k = len(comparison.entered), min(comparison.cutoff, len(comparison.moves))
    first = comparison.moves[0]
    key = "none" if not count else "one" if count == 1 else "some"
    order = t(f"order.{comparison.order}")
    begins = t("headline.first_same" if first.before == 1 else "headline.first", before=first.before, order=order)
    return t(f"headline.{key}", count=count, k=k), begins


def measures(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return name, value and meaning of how far the two orders agree."""
    before, after, k = comparison.before.ids, comparison.reranked.ids, min(comparison.cutoff, len(comparison.moves))
    tau = kendall_tau(before, after)
    return [
        (t("metric.overlap", k=k), f"{overlap_at(before, after, k):.0%}", t("metric.overlap_help", k=k)),
        (t("metric.tau"), "–" if tau is None else f"{tau:.2f}", t("metric.tau_help")),
        (t("metric.rbo"), f"{rank_biased_overlap(before, after):.2f}", t("metric.rbo_help", p=RBO_PERSISTENCE)),
    ]
