interface Props {
  name: string;
  value: string;
  /** [value, what is shown] */
  options: [string, string][];
  onChange: (value: string) => void;
  /** What the empty choice says. */
  any?: string;
}

/** A filter that is chosen from a list. */
export function Choice({ name, value, options, onChange, any = "Any" }: Props) {
  return (
    <label class="field">
      <span>{name}</span>
      <select class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{any}</option>
        {options.map(([key, shown]) => (
          <option key={key} value={key}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
