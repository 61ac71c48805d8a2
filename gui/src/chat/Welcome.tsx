import { Loading } from "../ui/Loading";
import { Notice } from "../ui/Notice";
import { write } from "./Composer";
import { repos } from "./state";

const examples = [
  "Where is the configuration read?",
  "What happens when the program starts?",
  "How are errors handled and reported?",
];

/** The empty page: what this is, or what is missing before it can work. */
export function Welcome() {
  const list = repos.data.value;
  if (list === null) {
    if (repos.error.value === "") return <Loading what="repositories" />;
    return (
      <div class="empty">
        <Notice tone="bad" urgent>
          {repos.error.value}{" "}
          <button type="button" class="button small" onClick={() => void repos.load()}>
            Try again
          </button>
        </Notice>
      </div>
    );
  }
  if (list.length === 0) {
    return (
      <div class="empty">
        <h1>Nothing is indexed yet</h1>
        <p>
          Add a repository on the <a href="/admin#index">admin page</a>, or run{" "}
          <code>rankloop index PATH --repo NAME</code>. Then ask away.
        </p>
      </div>
    );
  }
  return (
    <div class="empty welcome">
      <h1>Ask about your code</h1>
      <p>Answers quote the code they come from. Rate them: every rating teaches the search where to look.</p>
      <ul>
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              class="chip"
              onClick={() => {
                write(example);
                document.getElementById("question")?.focus();
              }}
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
