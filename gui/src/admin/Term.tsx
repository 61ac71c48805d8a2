import type { ComponentChildren } from "preact";

const meanings = {
  champion: "The version that ranks the answers now.",
  gate: "The rule that lets a new version serve only where judged questions prove it better than the champion.",
  held_out: "Judged questions that nothing is trained on, about one in five: versions are measured on them.",
  second_opinions: "Questions that one more person judged later: a model that had heard only the others is measured by that person's word.",
  ndcg: "How far up the right places stand among the first ten: 1 is all at the top, 0 is none of them found.",
  signals: "What people did with answers: ratings, and uses such as opening or copying a source.",
  judged: "A question of which somebody said which place is right or wrong: by a vote on a source, a correction or a golden question.",
} as const;

/** A word of the trade, and what it means when pointed at. */
export function Term({ of, children }: { of: keyof typeof meanings; children: ComponentChildren }) {
  return (
    <abbr class="term" title={meanings[of]}>
      {children}
    </abbr>
  );
}
