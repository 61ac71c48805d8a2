import { useState } from "preact/hooks";
import type { Answer } from "./types";

/** What the list needs to know. */
export interface Props {
  answers: Answer[];
  onVote: (id: string, up: boolean) => void;
}

/** Shows answers as a list with thumbs. */
export const AnswerList = ({ answers, onVote }: Props) => {
  const [open, setOpen] = useState<string | null>(null);
  return (
    <ul class="answers">
      {answers.map((answer) => (
        <li key={answer.id} onClick={() => setOpen(answer.id)}>
          <p>{answer.text}</p>
          <button onClick={() => onVote(answer.id, true)}>up</button>
          <button onClick={() => onVote(answer.id, false)}>down</button>
          {open === answer.id && <pre>{JSON.stringify(answer.sources, null, 2)}</pre>}
        </li>
      ))}
    </ul>
  );
};

export default class Store<T> {
  private items: T[] = [];
  add = (item: T): void => {
    this.items.push(item);
  };
  get size(): number {
    return this.items.length;
  }
}

export type Vote = "up" | "down";

describe("store", () => {
  it("adds", () => {
    const s = new Store<number>();
    s.add(1);
    expect(s.size).toBe(1);
  });
});
