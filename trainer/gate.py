"""The gate: may the challenger serve? Rules of DESIGN §7; every reason is a sentence with its numbers.

Scores are ``ndcg@10`` a query group. Wrong input raises InvalidInput: an error is never a promotion.
"""

from __future__ import annotations

import math
import re
from typing import Literal

import numpy as np

from store.errors import InvalidInput
from store.types import Decision, Json
from trainer.arms import ROUNDING, Arms, Evidence, Scores, paired, pool, without
from trainer.asked import Asked, compare, counted
from trainer.policy import GatePolicy, GateResult, could_promote
from trainer.significance import FloatArray, bootstrap_interval, needed_groups, randomisation_test

__all__ = ["Arms", "Evidence", "GatePolicy", "GateResult", "Scores", "could_promote", "decide"]


def decide(evidence: Evidence, policy: GatePolicy | None = None) -> GateResult:
    """Compare the challenger with champion, base, no-rerank and the version rolled back from.

    ``reject`` when a guard is broken or it is significantly worse; ``promote`` when every condition holds; otherwise
    ``not_proven``. ``numbers["could_promote"]``: whether there were questions enough for any challenger to be promoted.
    Raises InvalidInput for empty, mismatched, repeated or not finite scores.
    """
    return _Gate(evidence, policy or GatePolicy()).decide()


class _Gate:
    """One decision in the making: each condition adds its sentence to one of four lists."""

    def __init__(self, evidence: Evidence, policy: GatePolicy) -> None:
        if evidence.trial < 1:
            raise InvalidInput(f"trials are counted from 1, got {evidence.trial}")
        self.evidence, self.policy = evidence, policy
        self.alpha = policy.alpha / evidence.trial
        self.held_out = without(evidence.held_out, evidence.imported, "held-out")
        self.pooled = pool(self.held_out, without(evidence.out_of_fold, evidence.imported, "out-of-fold"))
        self.opinions = without(evidence.opinions, evidence.imported, "second-opinion")
        if not 0 <= evidence.opinions_share <= 1:
            raise InvalidInput(f"a share must be within [0, 1], got {evidence.opinions_share}")
        self.share = counted(self.opinions, evidence.opinions_share, policy.min_opinions)
        self.broken: list[str] = []
        self.unproven: list[str] = []
        self.passed: list[str] = []
        self.warnings: list[str] = []
        self.numbers: Json = {
            "groups": len(self.pooled.challenger),
            "held_out_groups": len(self.held_out.challenger),
            "imported_groups_left_out": len(evidence.imported),
            "trial": evidence.trial,
            "alpha": self.alpha,
        }

    def decide(self) -> GateResult:
        enough = self.numbers["could_promote"] = self._enough()
        self._champion(enough)
        self._held_out(enough)
        self._floors(enough)
        self._rolled_back(enough)
        self._guard("golden questions", self.evidence.golden)
        self._guard("general set", self.evidence.general)
        self._latency()
        if (count := len(self.opinions.challenger)) and not self.share:
            least = self.policy.min_opinions
            says = f"{count} second opinions count for nothing: it takes {least}, and people who ask again."
            self.warnings.append(says)
        if self.broken:
            return self._result(Decision.REJECT)
        return self._result(Decision.NOT_PROVEN if self.unproven else Decision.PROMOTE)

    def _result(self, decision: Decision) -> GateResult:
        reasons = (*self.broken, *self.unproven, *self.passed, *self.warnings)
        self.numbers["deciding"] = len(self.broken) + len(self.unproven) or 1  # of the reasons, the first
        return GateResult(decision, tuple(map(typeset, reasons)), self.numbers)

    def _enough(self) -> bool:
        groups, held_out = len(self.pooled.challenger), len(self.held_out.challenger)
        if groups == 0 and self.evidence.imported:
            self.unproven.append(
                f"Only the {len(self.evidence.imported)} lists made of imported passages could be scored, "
                "and they prove nothing: rate answers about real code."
            )
            return False
        policy = self.policy
        if groups < policy.min_groups:
            self.unproven.append(
                f"{groups} judged questions are too few to decide on; it takes at least {policy.min_groups}, so "
                f"{policy.min_groups - groups} more."
            )
        if held_out < policy.min_held_out:
            self.unproven.append(
                f"{held_out} of the judged questions are held out from training; "
                f"it takes at least {policy.min_held_out}."
            )
        return groups >= policy.min_groups and held_out >= policy.min_held_out

    def _champion(self, enough: bool) -> None:
        if not self.pooled.challenger:
            return
        found = self._asked("champion")
        own, (ours, theirs) = found.differences, found.means
        gain = float(own.mean())
        sd = float(own.std(ddof=1)) if len(own) > 1 else 0.0
        better, worse = self._p(own), self._p(-own)
        low, high = bootstrap_interval(own, np.random.default_rng(self.policy.seed))
        self.numbers["champion"] = {
            "challenger_mean": ours,
            "champion_mean": theirs,
            "gain": gain,
            "sd": sd,
            "interval": [low, high],
            "p_better": better,
            "p_worse": worse,
            "unseen": found.unseen.as_json(),
            **({"opinions": found.opinions.as_json()} if found.opinions else {}),
        }
        said = (
            f"ndcg@10 {ours:.3f} against the champion's {theirs:.3f} on {len(own)} judged "
            f"questions ({gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}{found.says})"
        )
        trial = (
            f" (0.05/{self.evidence.trial}: challenger number {self.evidence.trial})" if self.evidence.trial > 1 else ""
        )
        if enough and gain < 0 and worse < self.policy.alpha:
            self.broken.append(f"It is worse than the champion: {said}, p = {worse:.4f}.")
        elif gain > 0 and better < self.alpha:
            self.passed.append(
                f"It is better than the champion: {said}, p = {better:.4f} below {self.alpha:.4f}{trial}."
            )
        else:
            self.unproven.append(f"A gain over the champion is not proven: {said}, p = {better:.4f}{trial}.")
            self.unproven.append(self._how_many(gain, sd, len(own)))

    def _asked(self, arm: Literal["champion", "rolled_back"]) -> Asked:
        """The challenger against an arm on all that counts. Raises InvalidInput where the arm has no score."""
        unseen, opinions = getattr(self.pooled, arm), getattr(self.opinions, arm)
        return compare((self.pooled.challenger, unseen or {}), (self.opinions.challenger, opinions or {}), self.share)

    def _p(self, differences: FloatArray) -> float:
        rounds = max(self.policy.rounds, math.ceil(20 / self.alpha))
        zero = np.zeros(len(differences))
        return randomisation_test(differences, zero, np.random.default_rng(self.policy.seed), rounds)

    def _how_many(self, gain: float, sd: float, groups: int) -> str:
        assumed = max(gain, self.policy.worthwhile)
        needed = needed_groups(assumed, sd, self.alpha, self.policy.power) if sd > 0 else self.policy.min_groups
        more = max(needed, self.policy.min_groups) - groups
        self.numbers["needed_groups"] = {"total": needed, "more": max(more, 0), "gain": assumed, "sd": sd}
        if sd == 0:
            return "Both rank every judged question alike, so more judged questions alone would not settle it."
        what = (
            f"a gain of {assumed:.3f}"
            if gain >= self.policy.worthwhile
            else f"a gain of {assumed:.3f}, if there is one,"
        )
        if more <= 0:
            return (
                f"{groups} judged questions were enough to see {what} with {100 * self.policy.power:.0f} % probability."
            )
        return (
            f"About {more} more judged questions would settle {what} with {100 * self.policy.power:.0f} % probability."
        )

    def _held_out(self, enough: bool) -> None:
        self._not_below("champion", self.held_out, self.policy.below_champion, "held-out questions", enough)
        if self.share:  # else a gain on these very questions is asked for
            self._not_below("champion", self.pooled, self.policy.below_unseen, "questions not trained on", enough)

    def _floors(self, enough: bool) -> None:
        for arm in ("base", "no_rerank"):
            self._not_below(arm, self.held_out, self.policy.below_base, "held-out questions", enough)
            self._not_below(arm, self.pooled, self.policy.below_base, "judged questions", enough)

    def _not_below(self, arm: str, arms: Arms, margin: float, where: str, enough: bool) -> None:
        """A missed margin stops the promotion; it rejects only where the fall is significant.

        The mean of a few dozen questions misses a margin of a hundredth by chance in every second challenger that is
        neither better nor worse. Whether it fell is asked of the test that also proves a gain, with the arms exchanged:
        it is exact for few questions, and as its signs are drawn from a fixed seed, a challenger that only loses never
        gets a larger p, so never a better decision.
        """
        if not arms.challenger:
            return
        challenger, other = paired(arms.challenger, getattr(arms, arm))
        difference = float(challenger.mean() - other.mean())
        self.numbers[f"{'held_out' if where.startswith('held') else 'pooled'}_vs_{arm}"] = difference
        name = {"champion": "the champion", "base": "the base", "no_rerank": "no reranking"}[arm]
        said = f"{challenger.mean():.3f} against {other.mean():.3f} for {name} on {len(challenger)} {where}"
        if difference >= -margin - ROUNDING:
            self.passed.append(f"ndcg@10 holds: {said} ({difference:+.3f}).")
            return
        worse = self._p(other - challenger)
        missed = f"{said} ({difference:+.3f}, p = {worse:.4f}; at most {-margin:.3f} is allowed)"
        if enough and worse < self.policy.alpha:
            self.broken.append(f"ndcg@10 falls too far: {missed}.")
        else:
            self.unproven.append(
                f"ndcg@10 misses the margin: {missed}, but {len(challenger)} {where} are too few to call it worse."
            )

    def _rolled_back(self, enough: bool) -> None:
        version = self.evidence.rolled_back_from
        if version is None or not self.pooled.challenger:
            return
        if self.pooled.rolled_back is None:
            self.unproven.append(
                f"Version {version}, which was rolled back from, was not scored; it must be beaten too."
            )
            return
        found = self._asked("rolled_back")
        gain, p = float(found.differences.mean()), self._p(found.differences)
        self.numbers["rolled_back"] = {"version": version, "gain": gain, "p": p}
        on = f"{len(found.differences)} questions"
        said = f"version {version}, which was rolled back from ({gain:+.3f} on {on}, p = {p:.4f}{found.says})"
        proven = enough and gain > 0 and p < self.alpha
        (self.passed if proven else self.unproven).append(
            f"It {'beats' if proven else 'is not proven to beat'} {said}."
        )

    def _guard(self, name: str, arms: Arms) -> None:
        if not arms.challenger and not arms.champion:
            verb = "are" if name.endswith("s") else "is"
            self.warnings.append(f"There {verb} no {name} to guard against forgetting.")
            return
        challenger, champion = paired(arms.challenger, arms.champion)
        difference = float(challenger.mean() - champion.mean())
        self.numbers[name.split()[0]] = {"difference": difference, "questions": len(challenger)}
        said = f"{challenger.mean():.3f} against {champion.mean():.3f} on the {len(challenger)} of the {name}"
        if difference >= -self.policy.below_guard - ROUNDING:
            self.passed.append(f"ndcg@10 holds: {said} ({difference:+.3f}).")
        elif len(challenger) >= self.policy.guard_size:
            self.broken.append(f"ndcg@10 falls by more than {self.policy.below_guard}: {said} ({difference:+.3f}).")
        else:
            self.warnings.append(
                f"Warning: ndcg@10 falls: {said} ({difference:+.3f}); "
                f"fewer than {self.policy.guard_size} decide nothing."
            )

    def _latency(self) -> None:
        latency, budget = self.evidence.latency_ms, self.policy.latency_budget_ms
        if latency is None:
            self.unproven.append(
                "How long reranking takes was not measured, so the latency budget is not known to hold."
            )
            return
        if not math.isfinite(latency) or latency < 0:
            raise InvalidInput(f"a latency must be finite and not negative, got {latency}")
        self.numbers["latency_ms"] = latency
        said = f"Reranking a full list takes {latency:.0f} ms (95th percentile; budget {budget:.0f} ms)."
        (self.passed if latency <= budget else self.broken).append(said)


def typeset(sentence: str) -> str:
    """With a true minus sign before numbers, as the admin page has it in its tables."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", sentence)
