"""What a comparison says, in sentences and in figures."""

from pages.ui.shell.i18n import t
from rag_core.comparing.orders import RBO_PERSISTENCE, kendall_tau, overlap_at, rank_biased_overlap
from rag_core.datatypes import Comparison


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
