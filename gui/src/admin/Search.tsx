/** A filter by a part of the question. */
export function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label class="field grow">
      <span>Question</span>
      <input class="input" type="search" maxLength={200} placeholder="Part of it" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
    </label>
  );
}
